"""Practice tables have the form of a release and nothing of a record."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from credit.actor import Actor, Role
from credit.catalogue import Catalogue
from credit.errors import CreditError, Malformed
from credit.seal import Kind, Seal
from credit.subjects import PseudonymKey
from privacy.city.building import build
from privacy.intake.intake import intake
from privacy.practice import practice
from privacy.release.policy import Policy
from privacy.release.release import release
from tests.privacy.small_custody import House

TODAY = date(2026, 11, 1)
CITY = Catalogue.load("city")
PETRA = Actor("petra", Role.PLATFORM)


def made(house: House, catalogue: str = "city", *, subjects: Any = 400, seed: Any = 1) -> Seal:
    return practice(
        catalogue=Catalogue.load(catalogue), policy=Policy.load(), shelf=house.shelf, key=house.key,
        ledger=house.ledger, by=PETRA, as_of=TODAY, subjects=subjects, seed=seed,
    )  # fmt: skip


def records(house: House, folder: Path, *, subjects: int, seed: int) -> None:
    """Bring an invented city into custody."""
    build(folder, subjects=subjects, seed=seed, today=TODAY, dirt=0)
    intake(folder, catalogue=CITY, vault=house.vault, ledger=house.ledger, by=PETRA, today=TODAY)


def released(house: House) -> Seal:
    return release(
        purpose="research", catalogue=CITY, vault=house.vault, policy=Policy.load(), shelf=house.shelf, key=house.key,
        pseudonym_key=PseudonymKey("research", b"r" * 32), ledger=house.ledger, by=PETRA, as_of=TODAY,
    )  # fmt: skip


def test_they_have_the_tables_columns_and_types_of_a_release(house: House, tmp_path: Path) -> None:
    """One program for both: what the catalogue lets a release of research have, practice tables have, and no more."""
    records(house, tmp_path / "raw", subjects=1_000, seed=3)
    real, invented = released(house), made(house)
    assert invented.kind is Kind.PRACTICE
    assert invented.terms["invented"] is True
    assert set(invented.terms["tables"]) == set(real.terms["tables"])
    for name, table in real.terms["tables"].items():
        ours = invented.terms["tables"][name]
        assert (ours["columns"], ours["dated"], ours["market"]) == (table["columns"], table["dated"], table["market"])
        assert ours["rows"] > 0, name


@pytest.mark.attack
def test_they_depend_on_no_record_of_custody(house: House, tmp_path: Path) -> None:
    """They depend on catalogue, day, number and seed alone; not even a city drawn with the same seed is theirs."""
    first = made(house, subjects=500, seed=9)
    records(house, tmp_path / "raw", subjects=500, seed=9)
    assert made(house, subjects=500, seed=9).id == first.id
    assert made(house, subjects=501, seed=9).id != first.id
    assert made(house, subjects=500, seed=8).id != first.id
    sold = "SELECT * EXCLUDE (subject, counterparty) FROM '{}/invoice/*.parquet'"
    ours, theirs = (sold.format(house.shelf.folder_of(each.id)) for each in (first, released(house)))
    ((shared,),) = duckdb.sql(f"SELECT count(*) FROM ({ours} INTERSECT {theirs}) WHERE amount > 1").fetchall()
    ((all_theirs,),) = duckdb.sql(f"SELECT count(*) FROM ({theirs}) WHERE amount > 1").fetchall()
    assert shared < all_theirs / 2, "coarse amounts and months coincide; of the same city all of them would"


def test_every_value_is_one_that_the_catalogue_permits(house: House) -> None:
    """Whatever table is added to a catalogue, its enumerations and bounds hold."""
    seal = made(house)
    folder = house.shelf.folder_of(seal.id)
    assert seal.terms["tables"]
    for name, terms in seal.terms["tables"].items():
        table = CITY.table(name)
        files = f"'{folder}/{name}/*.parquet'"
        assert duckdb.sql(f"SELECT count(*) FROM {files}").fetchall() == [(terms["rows"],)]
        for field in table.fields:
            if field.column in terms["columns"] and field.rule("research") == "keep":
                column = duckdb.sql(f"SELECT DISTINCT {field.column} FROM {files} WHERE {field.column} IS NOT NULL")
                values = [value for (value,) in column.fetchall()]
                assert not field.enum or {str(value) for value in values} <= {*field.enum, "*"}, field.column
                assert field.minimum is None or min(values, default=field.minimum) >= field.minimum
                assert field.maximum is None or max(values, default=field.maximum) <= field.maximum


@pytest.mark.parametrize(("catalogue", "why"), [("beijing", "pattern"), ("cumcm", "No table")])
def test_a_catalogue_without_codes_is_refused_in_words(house: House, catalogue: str, why: str) -> None:
    with pytest.raises(CreditError, match=why):
        made(house, catalogue)
    assert list(house.shelf.root.glob("practice/*")) == list(house.ledger.entries()) == []


@pytest.mark.parametrize(("subjects", "seed"), [(99, 1), (1_000_001, 1), (400, -1), (0, 0), (True, 1), (400.0, 1),
                                                ("400", 1), (400, "1"), (400, 1 << 40), (400, None)])  # fmt: skip
def test_a_size_that_makes_no_tables_is_refused(house: House, subjects: Any, seed: Any) -> None:
    with pytest.raises(Malformed, match="Practice tables have"):
        made(house, subjects=subjects, seed=seed)
    assert list(house.ledger.entries()) == []
