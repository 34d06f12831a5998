"""What is derived from records reaches only those, and for that, which the right of every table behind it permits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.catalogue import Catalogue, Table
from credit.errors import Malformed, Refused
from credit.release_rights import rights_of_tables
from credit.usage_rights import (
    EVALUATION_USES,
    LENDING_USE,
    RIGHTS_FILE,
    Purpose,
    Recipient,
    UsageRight,
    permits,
    require_use,
    rights_table,
    stated_rights,
)

rights = st.frozensets(st.sampled_from(list(UsageRight)))
uses = st.tuples(st.sampled_from(list(Recipient)), st.sampled_from(list(Purpose)))


@given(rights, rights, uses)
def test_more_that_is_read_never_permits_more(first: Any, second: Any, use: Any) -> None:
    assert permits(first | second, use) == (
        permits(first, use) and permits(second, use) if first and second else permits(first | second, use)
    )
    assert not permits(frozenset(), use)
    if not permits(first, use):
        with pytest.raises(Refused, match="usage right"):
            require_use(first, use)


@pytest.mark.attack
@given(rights, uses)
def test_market_data_serve_a_bank_s_score_alone(others: Any, use: Any) -> None:
    market = others | {UsageRight.JOINT_MODELLING}
    allowed = {LENDING_USE, (Recipient.RESEARCHER, Purpose.TRAINING)}
    assert not permits(market, use) or use in allowed
    with pytest.raises(Refused):
        require_use(market, *EVALUATION_USES)


@given(uses)
def test_what_only_verifies_or_ends_use_serves_nothing(use: Any) -> None:
    assert not permits({UsageRight.SUBJECT_VERIFICATION}, use)
    assert not permits({UsageRight.ENDING_USE}, use)


def test_every_market_table_of_every_catalogue_is_for_joint_modelling_or_research() -> None:
    for name in ("city", "beijing", "cumcm"):
        for table in Catalogue.load(name).tables.values():
            closed = {UsageRight.JOINT_MODELLING, UsageRight.RESEARCH}
            assert not table.market or table.usage in closed, table.name
            assert all(isinstance(field.usage, UsageRight) for field in table.fields)


@pytest.mark.attack
@pytest.mark.parametrize("text", ["", "可用于信用评价 ", "可用于 信用评价", "仅用于", None, 3, ["可用于信用评价"]])
def test_a_right_that_is_not_one_of_the_enum_is_refused(text: object) -> None:
    with pytest.raises(Malformed, match="usage"):
        Table.parse(described(usage=text), where="x.yaml")


@pytest.mark.attack
@pytest.mark.parametrize("right", [right for right in UsageRight if right is not UsageRight.CREDIT_EVALUATION])
def test_a_field_whose_right_permits_no_inquiry_is_shown_in_none(right: UsageRight) -> None:
    Table.parse(described(usage=right, rules={}), where="x.yaml")
    with pytest.raises(Malformed, match="inquiry"):
        Table.parse(described(usage=right, rules={"inquiry": "keep"}), where="x.yaml")


@pytest.mark.attack
def test_a_table_of_rights_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    text = RIGHTS_FILE.read_text(encoding="utf-8")
    changes = [("仅用于主体核验: {}", "x: {}"), ("agency:", "agencies:"), ("inquiry]", "spying]"),
               ("  仅用于主体核验: {}\n", ""), ("rights:", "right:"), ("version", "\tversion")]  # fmt: skip
    for number, (old, new) in enumerate(changes):
        path = tmp_path / f"{number}.yaml"
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(Malformed, match=path.name):
            rights_table(path)


def test_rights_of_a_release_are_those_that_custody_sealed_or_of_the_same_catalogue() -> None:
    city = Catalogue.load("city")
    sealed = {"tables": {"loan_performance": {"usage": "仅用于联合建模"}, "odd": {"usage": "随便"}}}
    assert rights_of_tables(["loan_performance"], sealed) == {UsageRight.JOINT_MODELLING}
    old = {"tables": {"honour": {}}, "catalogue": {"name": "city", "version": city.version}}
    assert rights_of_tables(["honour"], old) == {UsageRight.CREDIT_EVALUATION}
    for table, terms in (("odd", sealed), ("honour", {"tables": {}}), ("elsewhere", sealed),
                         ("honour", old | {"catalogue": {"name": "city", "version": "0" * 64}})):  # fmt: skip
        with pytest.raises(Refused, match="not known"):
            rights_of_tables([table], terms)


@pytest.mark.parametrize("terms", [{}, {"usage": []}, {"usage": ["公开"]}, {"usage": None}, {"usage": 3}])
def test_a_seal_that_states_no_right_counts_as_made_from_market_data(terms: dict[str, Any]) -> None:
    assert stated_rights(terms) == {UsageRight.JOINT_MODELLING}


def described(*, usage: object, rules: dict[str, str] | None = None) -> dict[str, Any]:
    field = {"name": "code", "column": "code", "title": "代码", "type": "string", "role": "none", "rules": rules or {}}
    return {
        "name": "x", "title": "x", "source": "x", "openness": "社会公开", "sharing": "无条件共享", "usage": usage,
        "file": "x*.csv", "subject": "code", "key": ["code"], "time": {}, "fields": [field],
    }  # fmt: skip
