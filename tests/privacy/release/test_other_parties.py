"""A party that is named in another's record, such as the counterparty of an invoice, cannot be looked up anywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import pytest

from credit.catalogue import Catalogue
from credit.errors import Malformed
from credit.seal import Seal
from credit.subjects import PseudonymKey
from tests.privacy.small_custody import COMMON, House, code, register_of

INVOICE = """name: invoice
title: 发票
file: "invoice*.csv"
subject: CODE
key: [NUMBER]
time: {happened: DAY, known: null, ends: null}
fields:
  - {name: NUMBER, column: invoice_number, title: 号码, type: string, required: true, role: direct, rules: {}}
  - {name: CODE, column: subject_code, title: 代码, type: string, required: true, role: direct,
     rules: {research: subject, scoring: subject}}
  - {name: OTHER, column: counterparty, title: 对方, type: string, role: direct,
     rules: {research: pseudonym, scoring: pseudonym}}
  - {name: PAYER, column: payer, title: 付款方, type: string, role: direct,
     rules: {research: pseudonym, scoring: pseudonym}}
  - {name: DAY, column: issued_on, title: 日期, type: date, required: true, role: quasi,
     rules: {research: month, scoring: keep}}
"""
ODD = 99  # the one firm of its district and year, which k-anonymity leaves out of research


def with_table(house: House, name: str, text: str) -> House:
    (house.root / "catalogue" / f"{name}.yaml").write_text(COMMON + text, encoding="utf-8")
    return replace(house, catalogue=Catalogue.load("tiny", house.root / "catalogue"))


@pytest.fixture
def city(house: House) -> House:
    """Forty firms and an odd one; firms 1 to 5 have invoices with firm 6, the odd one and one outside the register."""
    made = with_table(house, "invoice", INVOICE)
    rows = [f"I{n}{other},{code(n)},{code(other)},{code(6)},2024-03-05"
            for n in range(1, 6) for other in (6, ODD, 700)]  # fmt: skip
    made.bring(
        registration=register_of(40) + f"{code(ODD)},名称,武清,1980-01-01,存续\n",
        invoice="NUMBER,CODE,OTHER,PAYER,DAY\n" + "".join(f"{row}\n" for row in rows),
    )
    return made


def rows_of(house: House, seal: Seal, table: str) -> list[dict[str, Any]]:
    place = house.shelf.open(seal.id).path / table
    return [row for path in sorted(place.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.mark.attack
@pytest.mark.parametrize("purpose", ["research", "scoring"])
def test_a_party_is_the_same_within_its_column_and_no_one_elsewhere(city: House, purpose: str) -> None:
    seal = city.release(purpose)
    invoices = rows_of(city, seal, "invoice")
    subjects = {row["subject"] for table in ("registration", "invoice") for row in rows_of(city, seal, table)}
    others, payers = ({row[name] for row in invoices} - {None} for name in ("counterparty", "payer"))
    assert len(payers) == 1
    assert len(others) == (2 if purpose == "research" else 3)
    assert not (others | payers) & subjects
    assert not others & payers, "firm 6 is in both columns"
    key = PseudonymKey(purpose, purpose.encode().ljust(32, b"-"))
    assert not {key.hex_of(code(n)) for n in range(100)} & (others | payers)


@pytest.mark.attack
def test_a_subject_that_the_register_leaves_out_is_left_out_as_a_party_too(city: House) -> None:
    seal = city.release()
    assert seal.terms["generalised"]["registration"]["suppressed_subjects"] == 1
    invoices = rows_of(city, seal, "invoice")
    assert len(invoices) == 15
    assert sum(row["counterparty"] is None for row in invoices) == 5


def test_a_table_that_can_be_repaired_names_no_other_party(city: House) -> None:
    repairable = with_table(city, "invoice", INVOICE + "repair_document: NUMBER\n")
    with pytest.raises(Malformed, match="names another party"):
        repairable.release()
