"""Every trick that takes one table from another to single out a few firms is held off, and the measure would see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from bench.compute.table_attacks import Attack, Target, given_of, isolated, records_less_one, targets, tricks
from credit.keys import KeyRing, SigningKey
from tests.models.tables.table_world import DAY, TableWorld

pytestmark = pytest.mark.attack


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> TableWorld:
    root = tmp_path_factory.mktemp("tables")
    keys = {zone: SigningKey.create(root / zone, zone) for zone in ("custody", "compute")}
    return TableWorld(root, keys, KeyRing.of(*keys.values()), subjects=400)


def attacks(world: TableWorld) -> Iterator[Attack]:
    (target,) = targets(world.maker, world.release, DAY, 1)
    yield from tricks(target)
    yield records_less_one(target, date(2025, 6, 1))


def test_no_trick_isolates_a_few_firms(world: TableWorld) -> None:
    k = world.maker.policy.units_at_least
    results = {each.trick: isolated(given_of(world.maker, world.release, each, DAY), k) for each in attacks(world)}
    assert len(results) > 20
    assert {trick: count for trick, count in results.items() if count} == {}


def test_the_measure_sees_what_the_gate_holds_off(world: TableWorld) -> None:
    (target,) = targets(world.maker, world.release, DAY, 1)
    naive = world.with_policy(units_at_least=3)
    assert isinstance(target, Target)
    results = []
    for attack in tricks(target):
        each = [given_of(naive, world.release, Attack(attack.trick, (sql,)), DAY) for sql in attack.tables]
        results.append(isolated([table for given in each for table in given], world.maker.policy.units_at_least))
    assert sum(count > 0 for count in results) > 12, "tables judged one by one, without what was given before"
