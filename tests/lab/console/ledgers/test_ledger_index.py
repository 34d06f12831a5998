"""The index finds the entries of the ledger, follows it, and shows only entries that verify."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.errors import Broken
from credit.keys import KeyRing, SigningKey
from credit.ledger import Entry, Ledger, Position
from lab.console.ledgers.ledger_index import LedgerIndex, LedgerSearch
from lab.console.ledgers.ledger_view import LedgerView

ALICE, WANG = Actor("alice", Role.RESEARCHER), Actor("wang", Role.PLATFORM)


@pytest.fixture
def ledger(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> Ledger:
    return Ledger(tmp_path / "research.jsonl", keys["research"], ring, "research")


@pytest.fixture
def index(ledger: Ledger, tmp_path: Path) -> Iterator[LedgerIndex]:
    index = LedgerIndex(ledger, tmp_path / "index" / "research.sqlite")
    yield index
    index.close()


def some(ledger: Ledger, count: int = 30) -> None:
    acts = [("cell.executed", f"cell-{n:064x}", ALICE, {"project": "p", "code": f"{n:x}"}) for n in range(count)]
    for act in (*acts, ("project.opened", "project-p", WANG, {"title": "小微 100%_ok"})):
        ledger.append_many([act])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_following_in_any_steps_reads_the_same_entries(
    cuts: list[int], tmp_path_factory: pytest.TempPathFactory, keys: dict[str, SigningKey], ring: KeyRing
) -> None:
    """A growing ledger is read in arbitrary steps, and each entry is read once and in order."""
    ledger = Ledger(tmp_path_factory.mktemp("l") / "research.jsonl", keys["research"], ring, "research")
    mark, read = Position(), list[Entry]()
    for count in cuts:
        ledger.append_many([("cell.executed", f"cell-{n}", ALICE, {}) for n in range(count)])
        steps = list(ledger.follow(mark))
        read += [entry for entry, _ in steps]
        mark = steps[-1][1] if steps else mark
    assert read == list(ledger.entries())


def test_an_incomplete_line_is_read_later(ledger: Ledger) -> None:
    """A reader does not report a half-written line as broken."""
    some(ledger, 2)
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole[:-20])
    read = list(ledger.follow(Position()))
    assert [entry.seq for entry, _ in read] == [1, 2]
    ledger.path.write_bytes(whole)
    assert [entry.seq for entry, _ in ledger.follow(read[-1][1])] == [3]


@pytest.mark.parametrize(
    ("search", "matches"),
    [
        (LedgerSearch(), 31),
        (LedgerSearch(verb="cell."), 30),
        (LedgerSearch(verb="cell_"), 0),
        (LedgerSearch(by="alice"), 30),
        (LedgerSearch(by="researcher:alice"), 30),
        (LedgerSearch(by="platform:wang", verb="project.opened"), 1),
        (LedgerSearch(object="project-p"), 1),
        (LedgerSearch(text="小微"), 1),
        (LedgerSearch(text="100%_OK"), 1),
        (LedgerSearch(text="100%xok"), 0),
        (LedgerSearch(text="' OR 1=1 --"), 0),
        (LedgerSearch(day="1999-01-01"), 0),
    ],
)
def test_a_search_finds_matching_entries(
    ledger: Ledger, index: LedgerIndex, search: LedgerSearch, matches: int
) -> None:
    """Each kind of search finds its entries and no others; SQL syntax in a search is plain text."""
    some(ledger)
    index.catch_up()
    assert index.count(search) == matches == len(index.find(search, limit=100))


def test_pages_show_every_entry_once(ledger: Ledger, index: LedgerIndex) -> None:
    """Paging shows each entry once, the newest first."""
    some(ledger)
    index.catch_up()
    seen: list[int] = []
    while page := index.find(LedgerSearch(), before=seen[-1] if seen else 0, limit=7):
        seen += page
    assert seen == list(range(31, 0, -1))


def test_a_changed_entry_is_detected_although_it_was_indexed(ledger: Ledger, index: LedgerIndex) -> None:
    """A page reads and verifies entries again from the ledger, so the index cannot hide a change."""
    some(ledger)
    index.catch_up()
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b'"code":"5"', b'"code":"6"'))
    assert index.read([5])[0].details["code"] == "4"
    with pytest.raises(Broken):
        index.read([6])


def test_a_truncated_ledger_is_detected(ledger: Ledger, index: LedgerIndex) -> None:
    """A ledger that is shorter than its signed head states is reported as broken."""
    some(ledger)
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join(lines[:-3]))
    with pytest.raises(Broken, match="line 29"):
        index.catch_up()


def test_an_index_of_another_ledger_is_rebuilt(ledger: Ledger, index: LedgerIndex, tmp_path: Path) -> None:
    """An index that does not match its ledger, because of a restored copy or a forgery, is discarded."""
    some(ledger)
    index.catch_up()
    index.close()
    forged = sqlite3.connect(tmp_path / "index" / "research.sqlite")
    forged.execute("UPDATE entry SET id = 'f', object = 'forged' WHERE seq = 31")
    forged.commit()
    forged.close()
    again = LedgerIndex(ledger, tmp_path / "index" / "research.sqlite")
    assert again.catch_up().seq == 31
    assert again.count(LedgerSearch(object="forged")) == 0
    again.close()


def test_a_ledger_view_gives_its_verbs_and_appends_to_the_ledger(ledger: Ledger, index: LedgerIndex) -> None:
    """A fold over a view sees the same entries as a fold over the whole ledger."""
    some(ledger)
    view = LedgerView.of(index, "project.")
    wanted = [entry for entry in ledger.entries() if entry.verb.startswith("project.")]
    assert list(view.entries()) == wanted == view.about("project-p")
    view.append("project.closed", "project-p", by=WANG)
    assert [entry.verb for entry in view.entries()] == ["project.opened", "project.closed"]
    assert ledger.verify() == 32
