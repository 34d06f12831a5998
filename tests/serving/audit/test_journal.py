"""The fast writer writes the very bytes of the plain one, sees what others wrote, and what was taken off."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.actor import Actor
from credit.errors import Broken
from credit.keys import KeyRing
from credit.ledger import Ledger
from credit.ledger import ledger as plain
from serving.audit import journal
from serving.audit.journal import Journal

BANK = Actor.parse("bank:bohai")
NOON = datetime(2026, 11, 20, 4, 0, 0, 123456, tzinfo=UTC)
words = st.text(max_size=20)
leaves = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-9, 9) | words
plains = st.recursive(leaves, st.lists, max_leaves=4)


class Noon:
    """The clock, stopped."""

    @staticmethod
    def now(zone: object) -> datetime:
        return NOON


@given(
    acts=st.lists(st.tuples(words, words, st.dictionaries(words, plains, max_size=4)), min_size=1, max_size=4),
    cut=st.integers(0, 3),
)
def test_both_writers_write_the_same_bytes_whoever_wrote_before(
    template: Any, tmp_path_factory: Any, acts: list[Any], cut: int
) -> None:
    from serving_world import World

    world, folder = World(template[0]), tmp_path_factory.mktemp("journal")
    entries = [(verb, object_, BANK, details) for verb, object_, details in acts]
    with pytest.MonkeyPatch.context() as clock:
        clock.setattr(plain, "datetime", Noon)
        clock.setattr(journal, "datetime", Noon)
        ring = KeyRing.of(world.key("service"))  # not the folder of keys, which knows each ledger by its name
        one = Ledger(folder / "plain.jsonl", world.key("service"), ring)
        fast = Journal(folder / "fast.jsonl", world.key("service"), ring)
        other = Ledger(folder / "fast.jsonl", world.key("service"), ring)
        for _ in range(3):
            one.append_many(entries)
        fast.append_many(entries)
        other.append_many(entries)  # another process, as the command line that grants a mandate
        fast.append_many(entries)
    assert (folder / "plain.jsonl").read_bytes() == (folder / "fast.jsonl").read_bytes()


def test_what_the_journal_wrote_verifies_and_its_entries_are_those_read_back(world: Any) -> None:
    fast = Journal(world.root / "fast.jsonl", world.key("service"), world.ring)
    acts = [("score.answered", "一", BANK, {"b": 1, "a": ["é", None]})] * 4
    written = [entry for _ in range(3) for entry in fast.append_many(acts)]
    assert fast.verify() == 12
    assert [(e.seq, e.id, e.body()) for e in fast.entries()] == [(e.seq, e.id, e.body()) for e in written]


def test_lines_cut_off_the_end_are_missed_by_a_writer_that_remembers(world: Any) -> None:
    fast = Journal(world.root / "fast.jsonl", world.key("service"), world.ring)
    fast.append_many([("score.answered", str(n), BANK, {}) for n in range(4)])
    lines = fast.path.read_bytes().splitlines(keepends=True)
    fast.path.write_bytes(b"".join(lines[:2]))
    with pytest.raises(Broken, match="lines are missing"):
        fast.append_many([("score.answered", "next", BANK, {})])


def test_a_torn_last_line_of_a_killed_writer_is_removed(world: Any) -> None:
    fast = Journal(world.root / "fast.jsonl", world.key("service"), world.ring)
    fast.append_many([("score.answered", "first", BANK, {})])
    with fast.path.open("ab") as stream:
        stream.write(b'{"at":"2026')
    (entry,) = fast.append_many([("score.answered", "second", BANK, {})])
    assert (entry.seq, fast.verify()) == (2, 2)
    assert [json.loads(line)["object"] for line in fast.path.read_text().splitlines()] == ["first", "second"]


def test_in_a_rush_the_head_lags_and_catches_up_and_never_goes_back(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "HEAD_SECONDS", 3600.0)  # however slow this machine is, it is a rush
    fast = Journal(world.root / "fast.jsonl", world.key("service"), world.ring)
    acts = [("score.answered", "x", BANK, {})]
    for _ in range(4):
        fast.append_many(acts)
    assert fast.head()[0] < 4  # the first write wrote the head, those right after did not
    assert fast.verify() == 4
    fast.settle()
    assert fast.head()[0] == 4
    fast.append_many(acts)
    Ledger(fast.path, world.key("service"), world.ring).append_many(acts)
    fast.settle()  # the other writer's head is the newer one
    assert fast.head()[0] == fast.verify() == 6
