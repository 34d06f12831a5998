"""A cell that says that there is no value is none, also where the values are yes and no."""

from __future__ import annotations

import pyarrow as pa
import pytest

from credit.catalogue import Catalogue, Table
from privacy.intake import normalising


def form_of(table: Table, name: str, given: list[str]) -> list[str | None]:
    field = table.field(name)
    others = {each.column: pa.array(["x"] * len(given)) for each in table.fields}
    mapped = pa.table(others | {field.column: pa.array(given)})
    changed: list[str | None] = normalising.normalised(table, mapped).column(field.column).to_pylist()
    return changed


@pytest.mark.parametrize("given", ["", "/", "null", "NULL", "无"])
@pytest.mark.parametrize("name", ["是否违约", "信誉评级"])
def test_no_value(name: str, given: str) -> None:
    table = Catalogue.load("cumcm").table("credit_outcome")
    value = table.field(name).enum[0]
    assert form_of(table, name, [given, value]) == [None, value]


def test_a_word_for_nothing_stays_where_it_is_a_value() -> None:
    table = Catalogue.load("city").table("invoice")
    assert form_of(table, "作废标志", ["无", "否", "", "/"]) == ["无", "否", None, None]
