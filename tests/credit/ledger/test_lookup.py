"""Look-ups return what a search through all entries returns, whatever was done to the index."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.errors import Broken
from credit.ledger import Entry, Ledger, LookUp
from credit.ledger.segments import lookup
from credit.ledger.segments.index_run import IndexRun, runs_in, sorted_records

ACTORS = [Actor("bob", Role.PLATFORM), Actor("eve", Role.RESEARCHER)]
VERBS = ["release.made", "project.opened", "cell.executed"]
OBJECTS = ["一", "release-1", 'odd"name\\', "x", "never"]
DETAILS: list[dict[str, object]] = [{"a": "b"}, {"batch": "b"}, {"batch": 7}]
acts = st.tuples(
    st.sampled_from(VERBS), st.sampled_from(OBJECTS[:-1]), st.sampled_from(ACTORS), st.sampled_from(DETAILS)
)


@pytest.fixture(autouse=True)
def _merge_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "FAN", 3)


@pytest.fixture
def short(ledger: Ledger) -> Ledger:
    return replace(ledger, segment_bytes=900)


def searches(entries: list[Entry]) -> list[LookUp]:
    times = [entry.at for entry in entries[:: max(1, len(entries) // 3)]]
    return [
        *(LookUp(object=name) for name in OBJECTS),
        *(LookUp(verb=verb, by=str(by)) for verb in VERBS for by in ACTORS),
        *(LookUp(verb=verb) for verb in VERBS),
        *(LookUp(since=at, until=at + timedelta(days=1)) for at in times),
        *(LookUp(verb=VERBS[0], since=at) for at in times),
        LookUp(batch="b"),
        LookUp(object="x", verb=VERBS[1], until=times[-1]),
        LookUp(),
    ]


def matching(entries: list[Entry], search: LookUp) -> list[Entry]:
    return [
        e
        for e in entries
        if (not search.object or e.object == search.object)
        and (not search.verb or e.verb == search.verb)
        and (not search.by or str(e.by) == search.by)
        and (not search.batch or e.details.get("batch") == search.batch)
        and (search.since is None or e.at >= search.since)
        and (search.until is None or e.at < search.until)
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=st.lists(st.lists(acts, min_size=1, max_size=5), min_size=1, max_size=25), merged=st.booleans())
def test_a_look_up_returns_what_a_search_through_all_does(
    short: Ledger, groups: list[list[object]], merged: bool
) -> None:
    """By object, verb, actor and time, over merged parts of the index, segments without one, and the open segment."""
    shutil.rmtree(short.path.parent)
    for group in groups:
        short.append_many(group)  # type: ignore[arg-type]
    if merged:
        short.seal_closed()
    entries = list(short.entries())
    for search in searches(entries):
        assert list(short.find(search)) == matching(entries, search)
    for number in (1, len(entries) // 2 + 1, len(entries)):
        assert short.entry_at(number) == entries[number - 1]
    assert short.entry_at(len(entries) + 1) is None
    assert short.entry_at(0) is None


def filled(ledger: Ledger, count: int = 60) -> list[Entry]:
    for number in range(count):
        act = (VERBS[number % 3], OBJECTS[number % 4], ACTORS[number % 2], {"number": number})
        ledger.append_many([act])
    ledger.seal_closed()
    return list(ledger.entries())


@pytest.mark.attack
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_index_that_was_edited_or_removed_is_not_believed(short: Ledger, data: st.DataObject) -> None:
    """Neither an entry is hidden nor another is shown by what is done to the index; its segments are searched."""
    entries = list(short.entries()) or filled(short)
    folder = lookup.index_folder(short.store)
    path = data.draw(st.sampled_from(sorted(folder.iterdir())))
    whole = path.read_bytes()
    change = data.draw(st.sampled_from(("byte", "removed", "empty", "another's")))
    if change == "byte":
        place = data.draw(st.integers(0, len(whole) - 1))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :])
    elif change == "removed":
        path.unlink()
    elif change == "empty":
        path.write_bytes(b"")
    else:
        path.write_bytes(data.draw(st.sampled_from(sorted(folder.iterdir()))).read_bytes())
    try:
        for search in searches(entries):
            assert list(short.find(search)) == matching(entries, search)
    finally:
        path.write_bytes(whole)


def test_a_removed_index_is_made_again(short: Ledger) -> None:
    """The index is made from the ledger; the zone's next writer or agent makes it again."""
    filled(short)
    folder = lookup.index_folder(short.store)
    names = sorted(run.path.name for run in runs_in(folder))
    shutil.rmtree(folder)
    short.seal_closed()
    assert [run.end for run in runs_in(folder)][-1] == short.store.segments()[-1].offset
    assert len(runs_in(folder)) <= len(names)


@pytest.mark.attack
def test_a_changed_entry_is_not_shown_although_it_is_indexed(short: Ledger) -> None:
    """What a look-up returns was verified as it was read from the ledger."""
    filled(short)
    segment = short.store.segments()[1]
    whole = segment.path.read_bytes()
    segment.path.write_bytes(whole.replace(b'"verb":"cell.', b'"verb":"sell.', 1))
    with pytest.raises(Broken):
        [list(short.find(LookUp(object=name))) for name in OBJECTS]


def test_a_long_run_is_read_by_its_pages(short: Ledger, tmp_path: Path) -> None:
    """With tables of several layers every record is returned, and none for a key that is not there."""
    assert short.key is not None
    keys = [number.to_bytes(8) for number in range(0, 60_000, 2)]
    rare = [key + number.to_bytes(8) for number, key in enumerate(keys)]
    hot = [b"\0" * 8 + number.to_bytes(8) for number in range(9000)]
    run = IndexRun(0, 1, 0, tmp_path / "index")
    run.write(sorted_records(rare + hot), short.key)
    assert run.offsets(b"\0" * 8, short.ring, "platform") == sorted([*range(9000), 0])
    for number in (1, 767, 768, 769, 15_000, 29_999):
        assert run.offsets(keys[number], short.ring, "platform") == [number]
        assert run.offsets((number * 2 + 1).to_bytes(8), short.ring, "platform") == []
