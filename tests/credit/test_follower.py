"""A follower tells each entry once, in order and verified, however a ledger grew between its looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.errors import Broken
from credit.follower import Follower
from credit.keys import KeyRing, SigningKey
from credit.ledger import Entry, Ledger

BY = Actor("alice", Role.RESEARCHER)
CALM = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@CALM
@given(st.lists(st.integers(0, 3), max_size=5))
def test_what_it_tells_is_the_ledger(
    tmp_path_factory: pytest.TempPathFactory, keys: dict[str, SigningKey], ring: KeyRing, grows: list[int]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.jsonl", keys["research"], ring)
    heard: list[Entry] = []
    follower = Follower(Ledger(ledger.path, None, ring, "research"), (heard.append,))
    for number in grows:
        for _ in range(number):
            ledger.append("cell.executed", "cell-1", by=BY)
        assert follower.catch_up() == len(heard)
        assert heard == list(ledger.entries())


def test_a_line_half_written_is_no_entry_yet(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl", keys["research"], ring)
    heard: list[Entry] = []
    follower = Follower(ledger, (heard.append,))
    ledger.append("a.b", "x", by=BY)
    with ledger.path.open("ab") as stream:
        stream.write(b'{"half')
    assert follower.catch_up() == 1
    ledger.append("a.c", "x", by=BY)  # the writer mends what a killed one left
    assert follower.catch_up() == 2
    assert [entry.verb for entry in heard] == ["a.b", "a.c"]


def test_a_changed_or_shortened_ledger_is_broken(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl", keys["research"], ring)
    follower = Follower(ledger, ())
    ledger.append("a.b", "x", by=BY)
    follower.catch_up()
    whole = ledger.path.read_bytes()
    ledger.append("a.c", "x", by=BY)
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b'"a.c"', b'"a.d"'))
    with pytest.raises(Broken, match="line 2"):
        follower.catch_up()
    ledger.path.write_bytes(whole[:-10])
    with pytest.raises(Broken, match="shorter"):
        follower.catch_up()
    other = Ledger(tmp_path / "other.jsonl", keys["compute"], ring)
    other.append("a.b", "x", by=BY)
    with pytest.raises(Broken, match="zone compute"):
        Follower(Ledger(other.path, None, ring, "research"), ()).catch_up()
