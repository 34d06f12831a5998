"""Two moves at once, from two processes, take turns: never a third vote, never a withdrawn parcel that was decided."""

from __future__ import annotations

import multiprocessing
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.errors import CreditError
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.shelf import Shelf
from lab.airlock.review.service import AirlockService
from lab.airlock.review.states import State
from lab.settings import ResearchSettings
from tests.lab.airlock.review_zone import AUTHOR, FIRST, SAFE, SECOND, THIRD, House

pytestmark = pytest.mark.attack


def _act(settings: ResearchSettings, keys: Path, id: str, who: Actor, start: Barrier, told: Queue[str]) -> None:
    """One process: its own handles on the same files, one move at the barrier's word."""
    key = SigningKey.load(keys, "research")
    ring = KeyRing.of(key)
    desk = AirlockService(settings, Ledger(settings.ledger, key, ring), Shelf(settings.shelf, ring), key)
    start.wait(60)
    try:
        moved = desk.withdraw(id, by=who) if who.role is Role.RESEARCHER else desk.vote(id, True, "fine", by=who)
        told.put(f"{who.name} {moved.state}")
    except CreditError as error:
        told.put(f"{who.name} {error.slug}")


def at_once(house: House, keys: Path, id: str, actors: list[Actor]) -> list[str]:
    context = multiprocessing.get_context("spawn")
    start, told = context.Barrier(len(actors)), context.Queue()
    settings = house.desk.settings
    crowd = [context.Process(target=_act, args=(settings, keys, id, who, start, told)) for who in actors]
    for each in crowd:
        each.start()
    found = [told.get(timeout=90) for _ in crowd]
    for each in crowd:
        each.join(30)
    return sorted(found)


@pytest.fixture
def folder(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> Path:
    """The research zone's key in a folder of its own, as each process reads it."""
    from cryptography.hazmat.primitives import serialization

    place = tmp_path / "keys"
    place.mkdir()
    pem = keys["research"].private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (place / "signing-research.pem").write_bytes(pem)
    return place


def test_three_reviewers_vote_at_once_and_two_votes_count(house: House, folder: Path) -> None:
    id = house.submit({"firms.csv": SAFE})
    found = at_once(house, folder, id, [FIRST, SECOND, THIRD])
    states = sorted(each.split()[1] for each in found)
    assert states == ["approved", "half_reviewed", "refused"], "the third is refused: the turn was over"
    assert len(house.desk.get(id).votes) == 2
    assert [e.verb for e in house.desk.ledger.entries() if e.object == id][1:] == ["parcel.voted", "parcel.decided"]


def test_a_vote_and_a_withdrawal_at_once_leave_one_truth(house: House, folder: Path) -> None:
    id = house.submit({"firms.csv": SAFE})
    house.desk.vote(id, True, "", by=FIRST)
    found = dict(each.split() for each in at_once(house, folder, id, [SECOND, AUTHOR]))
    assert found["li"] == "withdrawn", "the author may withdraw before and after the decision"
    assert found["qian"] in ("approved", "refused")
    assert house.desk.get(id).state is State.WITHDRAWN
    verbs = [e.verb for e in house.desk.ledger.entries() if e.object == id]
    assert verbs[-1] == "parcel.withdrawn", "nothing was decided after it was withdrawn"
    assert house.desk.ledger.verify() > 0
