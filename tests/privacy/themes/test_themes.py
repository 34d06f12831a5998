"""A theme is data: its tables may be used by an agency, its conditions are SQL, and no small number is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.catalogue import Catalogue
from credit.errors import Malformed, Missing, Refused
from privacy import city
from privacy.intake.intake import intake
from privacy.themes.library import count_theme, hidden_below
from privacy.themes.theme import THEMES, all_themes, theme_named
from tests.privacy.small_custody import CITY, TODAY, House

CATALOGUE = Catalogue.load("city")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> House:
    from tests.privacy.small_custody import empty_house

    house = replace(empty_house(tmp_path_factory.mktemp("themes")), catalogue=CATALOGUE)
    city.build(house.root / "raw", subjects=600, seed=5)
    intake(house.root / "raw", catalogue=CATALOGUE, vault=house.vault, ledger=house.ledger, by=CITY, today=TODAY)
    return house


def test_twenty_themes_are_shipped_and_each_may_be_used() -> None:
    themes = all_themes(CATALOGUE)
    assert len(themes) == 20
    assert all(theme.owner and theme.tables for theme in themes.values())


@pytest.mark.parametrize("name", sorted(path.stem for path in THEMES.glob("*.yaml")))
def test_each_theme_is_counted(stored: House, name: str) -> None:
    counted = count_theme(theme_named(name, CATALOGUE), catalogue=CATALOGUE, vault=stored.vault, as_of=TODAY)
    assert set(counted.tables) == set(counted.theme.tables)
    shown = [count for count in (counted.subjects, *counted.districts.values()) if count]
    assert all(count >= counted.theme.k for count in shown)
    assert counted.subjects is None or sum(count or 0 for count in counted.districts.values()) <= counted.subjects


def test_only_records_that_may_be_used_on_the_day_count(stored: House) -> None:
    theme = theme_named("serious_dishonesty", CATALOGUE)
    before = count_theme(theme, catalogue=CATALOGUE, vault=stored.vault, as_of=date(2015, 1, 1))
    assert set(before.tables.values()) == {(0, 0)}


def written(folder: Path, **changed: str) -> Path:
    text = (THEMES / "tax_credit.yaml").read_text(encoding="utf-8")
    for key, value in changed.items():
        text = "\n".join(f"{key}: {value}" if line.startswith(f"{key}:") else line for line in text.splitlines())
    (folder / "tax_credit.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.attack
@pytest.mark.parametrize("table", ["loan_performance", "invoice", "credit_repair"])
def test_a_theme_of_a_table_that_no_agency_may_see_is_refused(tmp_path: Path, table: str) -> None:
    with pytest.raises(Refused):
        all_themes(CATALOGUE, written(tmp_path, tables=f"[{table}]"))


@pytest.mark.parametrize(("key", "value"), [("k", "2"), ("name", "other"), ("tables", "5"), ("k", "much")])
def test_a_theme_that_is_wrong_names_its_file(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(Malformed, match=r"tax_credit\.yaml"):
        all_themes(CATALOGUE, written(tmp_path, **{key: value}))


def test_a_condition_that_is_no_sql_is_refused(stored: House, tmp_path: Path) -> None:
    theme = theme_named("tax_credit", CATALOGUE, written(tmp_path, where="r.nothing > 1"))
    with pytest.raises(Malformed):
        count_theme(theme, catalogue=CATALOGUE, vault=stored.vault, as_of=TODAY)
    with pytest.raises(Missing):
        theme_named("nothing", CATALOGUE)


@pytest.mark.attack
@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 20), min_size=1, max_size=12), st.integers(3, 8))
def test_no_hidden_number_follows_from_the_sum(counts: dict[str, int], k: int) -> None:
    shown = hidden_below(counts, k)
    hidden = [name for name, count in shown.items() if count is None]
    assert all(count is None or count == counts[name] for name, count in shown.items())
    assert not any(0 < counts[name] < k and shown[name] is not None for name in counts)
    rest = sum(counts[name] for name in hidden)
    assert not hidden or rest >= k or sum(counts.values()) == rest  # all are hidden, and the sum then is too
    if len(hidden) == 1:
        assert len([count for count in counts.values() if count]) == 1
