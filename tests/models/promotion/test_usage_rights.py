"""A model that reads what may not serve a bank is refused in words before any work, at each gate on its way."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from credit.errors import Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import Shelf
from lab.order_placement import place_order
from models.promotion.case import version_rights
from models.promotion.promote import register, roll_back
from tests.models import world
from tests.models.town import Town

RESEARCH = {"loan": "研究使用，不得再发布"}
NOTHING = ({"loan": "仅用于主体核验"}, {"penalty": "用于终止使用被修复的记录"}, {"loan": "随便"}, {"registration": ""})


def untouched() -> Any:
    """A registry that nothing may use."""
    return SimpleNamespace()


def version_on(town: Town, usage: dict[str, str]) -> Any:
    """A version of the tiny order on a release with these rights, as compute would have sealed it."""
    release = world.release(town.shelf, town.keys["custody"], town.rows, usage=usage)
    placed = place_order(world.order(), release=release, shelf=town.shelf, key=town.keys["research"], by=world.ALICE,
                         ledger=Ledger(town.root / "other.jsonl", town.keys["research"], town.ring),
                         today=world.AS_OF)  # fmt: skip
    terms = {"model": "tiny", "usage": ["研究使用，不得再发布"]}
    with town.shelf.staging() as folder:
        (folder / "model.txt").write_text("tree")
        seal = town.shelf.put(folder, Kind.VERSION, parents=(placed.id,), terms=terms,
                              expires_on=date(2027, 4, 1), by=world.ALICE, key=town.keys["compute"])  # fmt: skip
    return town.shelf.open(seal.id)


@pytest.mark.attack
def test_a_version_of_research_data_is_neither_registered_nor_rolled_back_to(town: Town) -> None:
    version = version_on(town, RESEARCH)
    with pytest.raises(Refused, match="usage right") as refused:
        register(version, by=world.ALICE, ledger=town.ledger, registry=untouched())
    assert "研究使用，不得再发布" in refused.value.why
    assert "授信评分" in refused.value.in_language("zh")
    with pytest.raises(Refused, match="usage right"):
        roll_back(version, why="x", by=world.BOB, shelf=town.shelf, platform_key=town.keys["platform"],
                  ledger=town.ledger, people=untouched, registry=untouched())  # fmt: skip
    assert [entry.verb for entry in town.ledger.entries() if entry.object == version.seal.id] == []
    assert "研究使用，不得再发布" in version_rights(version, town.shelf), (
        "a verdict rests on the release, not on the version"
    )


@pytest.mark.attack
@pytest.mark.parametrize("usage", NOTHING)
def test_no_order_is_placed_on_what_permits_no_training(
    shelf: Shelf, keys: dict[str, SigningKey], ring: KeyRing, tmp_path: Any, usage: dict[str, str]
) -> None:
    release = world.release(shelf, keys["custody"], {}, usage=usage)
    ledger = Ledger(tmp_path / "research.jsonl", keys["research"], ring)
    with pytest.raises(Refused, match="usage right"):
        place_order(world.order(), release=release, shelf=shelf, key=keys["research"], by=world.ALICE, ledger=ledger,
                    today=world.AS_OF)  # fmt: skip
    assert list(ledger.entries()) == []


@pytest.mark.attack
@pytest.mark.parametrize("usage", [RESEARCH, *NOTHING])
def test_no_snapshot_is_made_of_what_may_not_serve_a_bank(town: Town, usage: dict[str, str]) -> None:
    release = world.release(town.shelf, town.keys["custody"], town.rows, purpose="scoring", buckets=4, usage=usage)

    def unused(fn: Any, buckets: Any) -> Any:
        raise AssertionError("the work began")

    with pytest.raises(Refused, match="usage right"):
        town.snapshot(release=release, map_buckets=unused)


def test_a_snapshot_states_the_rights_of_its_tables(town: Town) -> None:
    assert town.snapshot().terms["usage"] == ["仅用于联合建模", "可用于信用评价"]
