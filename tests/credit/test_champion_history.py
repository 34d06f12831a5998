"""Which version was in production at a moment, by what was known at a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.champion_history import ChampionChange, champion_at, champion_changes
from credit.errors import Missing
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import Shelf
from credit.versions import champion_of, require_champion

BOB = Actor("bob", Role.PLATFORM)
START = datetime(2026, 11, 1, tzinfo=UTC)


def change(number: int, hours: int) -> ChampionChange:
    return ChampionChange(
        "enterprise", f"version-{number}", START + timedelta(hours=hours), BOB, "", "", number + 1, "x"
    )


@given(
    st.lists(st.integers(0, 200), max_size=12).map(sorted),
    st.integers(-10, 210),
    st.one_of(st.none(), st.integers(-10, 210)),
)
def test_the_champion_is_the_last_change_that_happened_and_was_known(
    hours: list[int], at: int, known: int | None
) -> None:
    """Compared with the plain rule, read from behind."""
    changes = [change(number, each) for number, each in enumerate(hours)]
    moment = START + timedelta(hours=at)
    until = None if known is None else START + timedelta(hours=known)
    expected = None
    for each in reversed(changes):
        if not (each.at > moment or (until is not None and each.at > until)):
            expected = each
            break
    assert champion_at(changes, moment, until) == expected


def test_the_ledger_gives_the_changes_of_one_model(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> None:
    """With the reason of a roll-back and of a waiver; a refusal changes nothing."""
    ledger = Ledger(tmp_path / "platform.jsonl", keys["platform"], ring, "platform")
    ledger.append("promotion.granted", "version-a", by=BOB, details={"model": "enterprise", "verdict": {}})
    ledger.append("promotion.granted", "version-b", by=BOB, details={"model": "individual_business"})
    waiver = {"why": "The segment is small", "checks": ["parity"]}
    ledger.append("promotion.granted", "version-c", by=BOB, details={"model": "enterprise", "waiver": waiver})
    ledger.append("promotion.refused", "version-d", by=BOB, details={"model": "enterprise"})
    ledger.append("promotion.granted", "version-a", by=BOB, details={"model": "enterprise", "roll_back": "It fell"})
    changes = champion_changes(ledger, "enterprise")
    assert [(each.version, each.roll_back, each.waiver) for each in changes] == [
        ("version-a", "", ""),
        ("version-c", "", "The segment is small"),
        ("version-a", "It fell", ""),
    ]


def test_the_name_of_a_model_means_its_champion_where_something_leaves(
    shelf: Shelf, keys: dict[str, SigningKey]
) -> None:
    """A version that was made later and never judged is meant by its id alone."""
    made = []
    for _ in range(2):
        with shelf.staging() as folder:
            (folder / "a.txt").write_text(str(len(made)))
            ends = (datetime.now(UTC) + timedelta(days=30)).date()
            terms = {"model": "enterprise"}
            made.append(
                shelf.put(folder, Kind.VERSION, by=BOB, key=keys["compute"], parents=(), terms=terms, expires_on=ends)
            )
    with pytest.raises(Missing, match="champion"):
        require_champion(shelf, "enterprise")
    assert champion_of(shelf, "enterprise") == ""
    shelf.set_pointer("champion-enterprise", {"model": "enterprise", "version": made[0].id}, keys["platform"])
    assert require_champion(shelf, "enterprise").seal.id == made[0].id
    assert require_champion(shelf, made[1].id).seal.id == made[1].id
