"""Simultaneous moves of several processes are serialized: no third vote, no decision on a withdrawn parcel."""

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
from tests.credit.separation.account_changes import AccountsSince
from tests.lab.airlock.review_zone import AUTHOR, FIRST, PEOPLE, SAFE, SECOND, THIRD, ReviewZone, read_and_vote

pytestmark = pytest.mark.attack


def _act(settings: ResearchSettings, keys: Path, id: str, who: Actor, start: Barrier, results: Queue[str]) -> None:
    """One process with its own handles on the same files makes one move when the barrier opens."""
    key = SigningKey.load(keys, "research")
    ring = KeyRing.of(key)
    airlock = AirlockService(
        settings, Ledger(settings.ledger, key, ring), Shelf(settings.shelf, ring), key, AccountsSince(PEOPLE)
    )
    start.wait(60)
    try:
        author = who.role is Role.RESEARCHER
        moved = airlock.withdraw(id, by=who) if author else read_and_vote(airlock, id, True, "fine", by=who)
        results.put(f"{who.name} {moved.state}")
    except CreditError as error:
        results.put(f"{who.name} {error.slug}")


def at_once(zone: ReviewZone, keys: Path, id: str, actors: list[Actor]) -> list[str]:
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(len(actors)), context.Queue()
    settings = zone.airlock.settings
    processes = [context.Process(target=_act, args=(settings, keys, id, who, start, results)) for who in actors]
    for each in processes:
        each.start()
    outcomes = [results.get(timeout=90) for _ in processes]
    for each in processes:
        each.join(30)
    return sorted(outcomes)


@pytest.fixture
def folder(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> Path:
    """A folder with the research zone's key, from which each process reads it."""
    from cryptography.hazmat.primitives import serialization

    place = tmp_path / "keys"
    place.mkdir()
    pem = keys["research"].private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (place / "signing-research.pem").write_bytes(pem)
    return place


def test_of_three_simultaneous_votes_two_count(zone: ReviewZone, folder: Path) -> None:
    id = zone.submit({"firms.csv": SAFE})
    outcomes = at_once(zone, folder, id, [FIRST, SECOND, THIRD])
    states = sorted(each.split()[1] for each in outcomes)
    assert states == ["approved", "half_reviewed", "refused"], "the third is refused: the turn was over"
    assert len(zone.airlock.get(id).votes) == 2
    verbs = [e.verb for e in zone.airlock.ledger.entries() if e.object == id and e.verb != "parcel.read"]
    assert verbs[1:] == ["parcel.voted", "parcel.decided"]


def test_a_vote_and_a_withdrawal_at_once_give_one_result(zone: ReviewZone, folder: Path) -> None:
    id = zone.submit({"firms.csv": SAFE})
    zone.vote(id, True, "", by=FIRST)
    outcomes = dict(each.split() for each in at_once(zone, folder, id, [SECOND, AUTHOR]))
    assert outcomes["li"] == "withdrawn", "the author may withdraw before and after the decision"
    assert outcomes["qian"] in ("approved", "refused")
    assert zone.airlock.get(id).state is State.WITHDRAWN
    verbs = [e.verb for e in zone.airlock.ledger.entries() if e.object == id]
    assert verbs[-1] == "parcel.withdrawn", "nothing was decided after it was withdrawn"
    assert zone.airlock.ledger.verify() > 0
