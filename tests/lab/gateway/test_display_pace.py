"""What a person is shown of files is recorded before it is sent, and never more than the pace in a minute or a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from lab.gateway.display_pace import SHOWN, DisplayPace, Pace, ShownFile, object_of
from lab.gateway.error_responses import Busy, TooLarge
from tests.lab import running_gateway
from tests.lab.running_gateway import House

pytestmark = pytest.mark.attack
ALICE, BOB = Actor("alice", Role.RESEARCHER), Actor("bob", Role.RESEARCHER)
PACE, START = Pace(1000, 2500), datetime(2026, 11, 1, tzinfo=UTC)
DIGEST = "0" * 64
requests = st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 40_000)), min_size=1, max_size=25)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    root = tmp_path_factory.mktemp("pace")
    key = SigningKey.create(root / "keys", "research")
    (root / "ring").mkdir()
    (root / "ring" / "research.pem").write_bytes(key.public_pem())
    return Ledger(root / "research.jsonl", key, KeyRing.load(root / "ring"), "research")


def shown(size: int) -> ShownFile:
    return ShownFile("loans", "a.txt", DIGEST, size)


@given(requests)
@settings(deadline=None, max_examples=40)
def test_no_minute_and_no_day_has_more_than_the_pace(ledger: Ledger, requested: list[tuple[int, int]]) -> None:
    """Whatever is requested and when; and what is refused is granted at the moment that the refusal names."""
    pace, now, granted = DisplayPace(ledger, PACE), START, []
    pace._shown["alice"] = pace._of("nobody", now)  # a person of whom nothing is recorded
    for size, later in requested:
        now += timedelta(seconds=later)
        try:
            pace.record(shown(size), by=ALICE, now=now)
            granted.append((now, size))
        except TooLarge:
            assert size > PACE.bytes_a_minute
        except Busy as refused:
            at = datetime.fromisoformat(f"{refused.message.params['at']}+08:00")
            assert at >= now.replace(microsecond=0)
            now = max(now, at) + timedelta(seconds=1)
            pace.record(shown(size), by=ALICE, now=now)
            granted.append((now, size))
    for span, most in ((timedelta(minutes=1), PACE.bytes_a_minute), (timedelta(days=1), PACE.bytes_a_day)):
        for until, _ in granted:
            assert sum(size for at, size in granted if until - span < at <= until) <= most


def test_the_pace_is_of_a_person_and_outlives_the_gateway(ledger: Ledger) -> None:
    """Another person has their own; a gateway that starts again reads from the ledger what was shown."""
    bounds = Pace(1000, 1000)
    first = DisplayPace(ledger, bounds)
    first.record(shown(900), by=BOB)
    for pace in (first, DisplayPace(ledger, bounds)):
        with pytest.raises(Busy, match="works again"):
            pace.record(shown(200), by=BOB)
        pace.record(shown(1), by=Actor("carol", Role.RESEARCHER))
    sizes = [each.details["bytes"] for each in ledger.about(object_of("bob"))]
    assert sizes == [900], "what is refused is no entry"


def test_the_largest_notebook_that_a_workspace_shows_fits_into_the_pace() -> None:
    from lab.workspace.contents import MOST_NOTEBOOK

    assert Pace.load().bytes_a_day >= Pace.load().bytes_a_minute >= MOST_NOTEBOOK


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with running_gateway.house(subjects=20) as made, running_gateway.gateway(made):
        yield made


def test_only_the_server_of_a_workspace_reports_what_is_shown(house: House, tmp_path: Path) -> None:
    """The kernel's socket has no such route; the entry names project, place, digest and bytes; over it: 429."""
    report = {"name": "data/a.txt", "digest": DIGEST, "bytes": 12}
    with house.kernel() as kernel, house.server() as server:
        assert kernel.post("/v1/shown-files", json=report).status_code == 404
        assert house.entries(SHOWN) == []
        assert server.post("/v1/shown-files", json=report).status_code == 201
        for wrong in ({"bytes": -1}, {"bytes": True}, {"bytes": "12"}, {"digest": "x"}, {"name": "n" * 1001}):
            assert server.post("/v1/shown-files", json=report | wrong).status_code == 422
        assert server.post("/v1/shown-files", json=report | {"bytes": 1 << 40}).status_code == 413
        most = Pace.load().bytes_a_minute
        refused = server.post("/v1/shown-files", json=report | {"bytes": most}, headers={"Accept-Language": "zh"})
        assert refused.status_code == 429
        assert "起可再次打开" in refused.json()["detail"]
    (entry,) = house.entries(SHOWN)
    assert entry.object == object_of("alice")
    assert entry.details == {"project": "loans", "name": "data/a.txt", "digest": DIGEST, "bytes": 12}
