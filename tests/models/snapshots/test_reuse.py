"""A snapshot that takes over what did not change is, to the byte, the one made in full; it works on the rest alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from credit.errors import Missing
from credit.seal import Kind
from credit.shelf import OpenedSeal
from models.scoring.snapshot_layout import DOSSIERS_FILE
from models.snapshots.credit_files import make_dossiers
from tests.models import world
from tests.models.snapshots.test_credit_files import ROWS, TODAY, released
from tests.models.town import Town

BUCKETS = 4


@pytest.fixture(scope="module")
def full(town: Town) -> OpenedSeal:
    """The snapshot from before any penalty is removed, with every bucket computed."""
    return town.shelf.open(town.snapshot(release=without(town, set())).id)


@dataclass(slots=True)
class Counted:
    """Which buckets were worked on."""

    buckets: list[int] = field(default_factory=list)

    def __call__(self, task: Callable[..., Any], buckets: list[Any]) -> list[Any]:
        self.buckets += buckets
        return [task(bucket) for bucket in buckets]


def without(town: Town, removed: set[int], buckets: int = BUCKETS) -> OpenedSeal:
    """A scoring release of the town without the penalties of some firms."""
    names = {world.subject(number) for number in removed}
    rows = town.rows | {"penalty": [row for row in town.rows["penalty"] if row["subject"] not in names]}
    return world.release(town.shelf, town.keys["custody"], rows, purpose="scoring", buckets=buckets)


@settings(max_examples=2, suppress_health_check=list(HealthCheck))  # each works on up to eight buckets
@given(removed=st.sets(st.integers(0, 299), min_size=1, max_size=4))
@example(removed=set())
@example(removed={0, 6})  # of the first bucket and of the last
def test_it_is_the_seal_that_computing_all_buckets_gives(town: Town, full: OpenedSeal, removed: set[int]) -> None:
    fined = {row["subject"] for row in town.rows["penalty"]}
    after, work = without(town, removed), Counted()
    quick = town.snapshot(release=after, previous=full, map_buckets=work)
    affected = {int(world.subject(n)[:2], 16) * BUCKETS // 256 for n in removed if world.subject(n) in fined}
    assert set(work.buckets) == affected
    place = town.shelf.open(quick.id).path
    made = {path.name: path.read_bytes() for path in place.iterdir()}
    for path in place.iterdir():  # take it off the shelf: a second making must not be the first one seen again
        path.unlink()
    place.rmdir()
    whole = town.snapshot(release=after)
    assert whole.id == quick.id
    assert all((place / name).read_bytes() == content for name, content in made.items() if name != "manifest.json")


@pytest.mark.parametrize(
    "other",
    [
        lambda town: {"as_of": date(2026, 3, 1)},
        lambda town: {"release": without(town, {1}, buckets=2)},
    ],
)
def test_of_another_day_or_other_buckets_nothing_is_reused(
    town: Town, full: OpenedSeal, other: Callable[[Town], dict[str, Any]]
) -> None:
    work = Counted()
    arguments = {"release": without(town, {1}), "previous": full, "map_buckets": work} | other(town)
    made = town.snapshot(**arguments)
    assert work.buckets == list(range(arguments["release"].seal.terms["buckets"]))
    assert made.terms["subjects"] == full.seal.terms["subjects"]


def test_a_notice_of_the_release_is_copied_to_the_snapshot(town: Town) -> None:
    source = without(town, {1})
    terms = dict(source.seal.terms) | {"notice": 3}
    with town.shelf.staging() as folder:
        world.write(folder, town.rows, BUCKETS)
        seal = town.shelf.put(folder, Kind.RELEASE, parents=(), terms=terms, expires_on=source.seal.expires_on,
                              by=world.CITY, key=town.keys["custody"])  # fmt: skip
    assert town.snapshot(release=town.shelf.open(seal.id)).terms["notice"] == 3
    assert "notice" not in town.snapshot(release=source).terms


def test_dossiers_take_over_too(town: Town, tmp_path: Path) -> None:
    def made(release: str, before: OpenedSeal | None = None) -> Any:
        arguments: dict[str, Any] = {
            "key": town.keys["compute"],
            "by": world.BOB,
            "ledger": town.ledger,
            "today": TODAY,
        }
        return make_dossiers(release=town.shelf.open(release), shelf=town.shelf, previous=before, **arguments)

    full = town.shelf.open(made(released(town.shelf, town.keys["custody"], ROWS)).id)
    fewer = released(town.shelf, town.keys["custody"], [row for row in ROWS if row[1] != "D2"])
    quick = made(fewer, full)
    place = town.shelf.open(quick.id).path
    assert b"D2" not in (place / DOSSIERS_FILE).read_bytes()
    assert b"D1" in (place / DOSSIERS_FILE).read_bytes()
    for path in place.iterdir():
        path.unlink()
    place.rmdir()
    assert made(fewer).id == quick.id
    one_subject = released(town.shelf, town.keys["custody"], [row for row in ROWS if row[1] == "D1"])
    assert made(one_subject, full).terms["subjects"] == 1, "a subject of whom nothing is left is in it no more"


def test_a_snapshot_whose_release_is_missing_is_not_reused(town: Town) -> None:
    reduced = without(town, {2, 3})
    before = town.shelf.open(town.snapshot(release=reduced).id)
    moved = reduced.path.with_name("0" * 64)
    reduced.path.rename(moved)
    try:
        with pytest.raises(Missing):
            town.snapshot(release=without(town, {4}), previous=before)
    finally:
        moved.rename(reduced.path)
