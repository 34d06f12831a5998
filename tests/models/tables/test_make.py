"""A table is made once, its cells are those of the records, and what it was judged against survives."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

from credit.errors import Broken, Refused
from credit.keys import KeyRing, SigningKey
from credit.order_requests import TABLE
from credit.seal import Kind
from tests.models.tables.table_world import BORIS, CAROL, SQL, TableWorld


@pytest.fixture
def world(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> TableWorld:
    return TableWorld(tmp_path, keys, ring)


def test_cells_are_those_of_the_records(world: TableWorld) -> None:
    seal = world.make()
    assert (seal.kind, seal.terms["project"], seal.terms["approved_by"]) == (Kind.TABLE, "loans", "policy")
    columns = world.columns(seal)
    assert list(columns) == ["registered_on_group", "count"]
    assert all(count % 5 == 0 and count > 0 for count in columns["count"])
    assert 0.8 * 500 < sum(columns["count"]) < 1.2 * 500
    assert columns["registered_on_group"] == sorted(columns["registered_on_group"])


def test_small_cells_are_neither_shown_nor_named(world: TableWorld) -> None:
    seal = world.make(
        "SELECT year(registered_on), month(decided_on), count(*) FROM registration JOIN administrative_penalty "
        "USING (subject) GROUP BY ALL",
        maker=world.with_policy(published_share_at_least=0.0),
    )
    assert seal.terms["suppressed"] > 0
    assert seal.terms["rows"] == len(world.columns(seal)["count"])
    verdict = {each["check"]: each for each in seal.terms["verdict"]["findings"]}
    assert verdict["cells"]["evidence"]["suppressed"]["units"] > 0


def test_statistics_of_a_column(world: TableWorld) -> None:
    seal = world.make(
        "SELECT count(*), count(DISTINCT subject), sum(fine), avg(fine), median(fine), stddev(fine), "
        "quantile_cont(fine, 0.9) FROM administrative_penalty"
    )
    columns = world.columns(seal)
    expected = ["count", "subjects", "sum_fine", "avg_fine", "median_fine", "stddev_fine", "quantile_0_9_fine"]
    assert list(columns) == expected
    assert columns["sum_fine"][0] == pytest.approx(columns["avg_fine"][0] * columns["count"][0], rel=0.03)
    assert columns["median_fine"][0] == 1.0


def test_an_order_is_made_once_and_a_repetition_gives_the_same(world: TableWorld) -> None:
    first = world.make(order="order-1")
    assert world.make(order="order-1").id == first.id
    again = world.make(SQL.replace("AS n", "AS other"))
    assert world.columns(again) == world.columns(first)
    assert len([entry for entry in world.ledger.entries() if entry.verb == TABLE.made]) == 2


def test_a_population_without_a_few_subjects_is_refused_to_every_member(world: TableWorld) -> None:
    most = (
        "SELECT count(*) FROM registration r LEFT JOIN (SELECT subject, count(*) AS n FROM administrative_penalty "
        "GROUP BY subject) p USING (subject)"
    )
    world.make(most)
    for bound in range(3, 30):
        fewer = f"{most} WHERE coalesce(n, 0) < {bound}"
        with contextlib.suppress(Refused):
            world.make(fewer, by=BORIS)
            continue
        with pytest.raises(Refused, match="1 that would isolate subjects"):
            world.make(fewer)
        assert world.make(fewer, by=CAROL, project="another").kind is Kind.TABLE, "nobody there had the whole"
        return
    pytest.fail("no bound leaves out a few subjects")


def test_what_was_given_is_needed_for_judging(world: TableWorld) -> None:
    seal = world.make()
    (entry,) = world.ledger.about(seal.id)
    kept = world.root / "tables" / f"{entry.details['contents']}.npz"
    content = kept.read_bytes()
    kept.write_bytes(content[:-1] + b"x")
    with pytest.raises(Broken):
        world.make()
    kept.unlink()
    with pytest.raises(Broken):
        world.make()
    kept.write_bytes(content)
    (world.root / "tables" / "key").write_bytes(b"0" * 32)
    with pytest.raises(Broken):
        world.make()


def test_a_disk_that_fills_before_the_entry_gives_nothing_away(
    world: TableWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = world.given.key()
    with monkeypatch.context() as patch:
        patch.setattr(type(world.ledger), "append", _full)
        with pytest.raises(OSError, match="full"):
            world.make(order="order-2")
    assert world.given.of("alice", "loans", np.array([])) == []
    seal = world.make(order="order-2")
    assert world.given.key() == key
    assert [each.id for each in world.shelf.list(Kind.TABLE)] == [seal.id]
    assert world.given.of_order("order-2") == seal.id


def _full(*_: object, **__: object) -> None:
    raise OSError("the disk is full")
