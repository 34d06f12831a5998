"""The real tables are brought in with catalogue files alone: no row is lost, and one subject has one surrogate."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from credit.catalogue import Catalogue
from credit.uscc import Uscc
from privacy.intake.intake import intake
from tests.privacy.small_custody import CITY, TODAY, House

REAL = Path(os.environ.get("HAIHE_REAL_DATA", Path(__file__).parents[4] / "shared" / "data"))
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason=f"the real tables are not there: {REAL} (HAIHE_REAL_DATA)")


def test_the_declarations_can_be_read() -> None:
    for name in ("beijing", "cumcm"):
        for table in Catalogue.load(name).tables.values():
            assert table.surrogate
            assert table.subject.rule("research") == "subject"


@needs_real
def test_the_beijing_tables_come_in(house: House) -> None:
    catalogue = Catalogue.load("beijing")
    names = ("env_penalties", "major_tax_violations", "tech_sme", "safety_permits", "inspections_miyun_safety")
    paths = [REAL / "beijing_public_credit" / f"{name}.parquet" for name in names]
    report = intake(paths, catalogue=catalogue, vault=house.vault, ledger=house.ledger, by=CITY, today=TODAY)
    assert report.rows_in == report.kept + report.quarantined
    assert report.tables["inspections_miyun_safety"].kept == 4267
    assert report.tables["safety_permits"].quarantined == 2  # two rows of the source are shifted by a column
    months = house.vault.read("major_tax_violations").column("published_on").to_pylist()
    assert (min(months), max(months)) == (date(2020, 8, 1), date(2021, 8, 1))
    assert set(house.vault.read("tech_sme").column("year_on").to_pylist()) == {date(2018, 1, 1)}
    pairs = house.vault.read("_surrogates")
    assert len(set(pairs.column("code").to_pylist())) == len(pairs)
    codes = {row["raw"]: row["code"] for row in pairs.to_pylist()}
    stored = house.vault.read("safety_permits").to_pylist()
    assert all(row["is_surrogate"] for row in stored[:50])
    assert all(Uscc.parse(row["subject_code"]).division == "999999" for row in stored[:50])
    assert {row["subject_code"] for row in stored} <= set(codes.values())


@needs_real
def test_the_cumcm_outcomes_come_in_and_the_rating_never_leaves(house: House) -> None:
    catalogue = Catalogue.load("cumcm")
    report = intake(
        REAL / "cumcm2020c" / "enterprises.csv",
        catalogue=catalogue,
        vault=house.vault,
        ledger=house.ledger,
        by=CITY,
        today=TODAY,
    )
    assert report.kept == 425
    outcomes = house.vault.read("credit_outcome").to_pylist()
    assert sum(row["defaulted"] is True for row in outcomes) == 27
    assert sum(row["defaulted"] is None for row in outcomes) == 302
    assert {row["subject_code"][:2] for row in outcomes} == {"91", "92"}
    rating = catalogue.table("credit_outcome").field("rating")
    assert rating.rule("research") == rating.rule("scoring") == "drop"
