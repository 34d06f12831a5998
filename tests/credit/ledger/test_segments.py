"""A ledger cut into segments is the same ledger: what reads it sees the same entries, and every changed byte."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.canonical import canonical, digest
from credit.errors import Broken
from credit.keys import KeyRing, SigningKey
from credit.ledger import Entry, Ledger, Position
from credit.ledger.entry import b64, read_lines
from credit.ledger.head import head_path
from credit.ledger.segments.closed_segment import PURPOSE, seal_path
from credit.ledger.segments.store import Segment
from credit.ledger.signed_record import opened, signed, write_record

BOB = Actor("bob", Role.PLATFORM)


@pytest.fixture
def short(ledger: Ledger) -> Ledger:
    """A ledger whose segments are closed after a few entries."""
    return replace(ledger, segment_bytes=1500)


def fill(ledger: Ledger, count: int, size: int = 1) -> list[Entry]:
    acts = [("release.made", f"release-{n}", BOB, {"rows": n, "why": "月度"}) for n in range(count)]
    return [entry for n in range(0, count, size) for entry in ledger.append_many(acts[n : n + size])]


def closed(ledger: Ledger) -> list[Segment]:
    return [segment for segment in ledger.store.segments() if segment.closed]


def reference(ledger: Ledger) -> list[Entry]:
    """Every line read and verified one by one, as a ledger in one file is; raises Broken."""
    whole = b"".join(segment.path.read_bytes() for segment in ledger.store.segments())
    lines = whole.splitlines(keepends=True)
    return [entry for entry, _ in read_lines(lines, Position(), ledger.ring, "platform", whole=True)]


def test_a_ledger_in_segments_is_the_same_ledger(short: Ledger) -> None:
    """Entries, positions and look-ups do not depend on where segments begin."""
    written = fill(short, 40, 3)
    assert len(closed(short)) > 5
    assert list(short.entries()) == written == reference(short)
    assert short.verify() == 40 == short.head()[0]
    steps = list(short.follow(Position()))
    for number in (0, 7, 20, 39):
        assert [entry.seq for entry, _ in short.follow(steps[number][1])] == list(range(number + 2, 41))
    assert [entry.seq for entry in short.about("release-11")] == [12]


def test_an_old_ledger_in_one_file_is_closed_at_the_next_append(ledger: Ledger) -> None:
    """A ledger written before there were segments goes on as one with segments."""
    fill(ledger, 12)
    short = replace(ledger, segment_bytes=1500)
    short.append("release.made", "next", by=BOB)
    assert (len(closed(short)), short.verify(), len(reference(short))) == (1, 13, 13)
    assert seal_path(closed(short)[0]).exists()


def test_a_ledger_without_seals_is_read_line_by_line_and_sealed_again(short: Ledger) -> None:
    """Seals only speed up reading: without them everything is verified all the same."""
    written = fill(short, 30)
    for segment in closed(short):
        seal_path(segment).unlink()
    assert list(short.entries()) == written
    count = len(closed(short))
    assert short.seal_closed() == count
    assert short.verify() == 30
    assert short.seal_closed() == 0


def test_a_crash_while_a_segment_is_closed_loses_nothing(short: Ledger) -> None:
    """When the open segment was moved and no other is there, the ledger is whole, and the next writer goes on."""
    fill(short, 10)
    first = json.loads(short.path.read_bytes().splitlines()[0])["seq"] - 1
    offset = short.store.segments()[-1].offset
    short.path.rename(short.store.folder / "segments" / f"{first:012d}-{offset:015d}.jsonl")
    assert short.verify() == 10
    short.append("release.made", "next", by=BOB)
    assert short.verify() == 11
    assert [entry.seq for entry in reference(short)] == list(range(1, 12))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(data=st.data())
@pytest.mark.attack
def test_a_changed_byte_in_any_file_is_seen(short: Ledger, data: st.DataObject) -> None:
    """Without a key nothing is changed unseen, in lines and signatures of closed segments or in their seals."""
    if not short.path.exists():
        fill(short, 24, 2)
    folders = ("segments", "seals")  # what is changed in the index is not used: see test_lookup.py
    files = [path for name in folders for path in sorted((short.store.folder / name).iterdir())] + [short.path]
    files = [path for path in files if path.stat().st_size]
    path = data.draw(st.sampled_from(files))
    whole = path.read_bytes()
    place, byte = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 255))
    if whole[place] == byte:
        return
    path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
    try:
        with pytest.raises(Broken):
            short.verify()
    finally:
        path.write_bytes(whole)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(data=st.data())
@pytest.mark.attack
def test_the_fast_reader_sees_what_the_slow_one_sees(short: Ledger, data: st.DataObject) -> None:
    """On a segment that was changed and sealed again with the zone's own key, both read the same or refuse.

    Only what is said by no entry may differ: a signature in the middle, which the seal and the last one stand for.
    """
    if not short.path.exists():
        fill(short, 24, 2)
    original = list(short.entries())
    segment = data.draw(st.sampled_from(closed(short)))
    whole, seal = segment.path.read_bytes(), seal_path(segment).read_bytes()
    segment.path.write_bytes(mutated(whole, data, short.key))
    seal_again(segment, short)
    try:
        slow, fast = outcome(lambda: reference(short)), outcome(lambda: list(short.entries()))
        assert slow == fast or (slow is None and fast == original)
    finally:
        segment.path.write_bytes(whole)
        seal_path(segment).write_bytes(seal)


def mutated(whole: bytes, data: st.DataObject, key: SigningKey | None) -> bytes:
    """A segment with a byte, a line or a spelling changed; some changed lines get a fitting digest and signature."""
    assert key is not None
    lines = whole.splitlines(keepends=True)
    number = data.draw(st.integers(0, len(lines) - 1))
    kind = data.draw(st.sampled_from(("byte", "drop", "double", "swap", "spelling", "msgspec", "content", "keys")))
    if kind == "byte":
        line = bytearray(lines[number])
        line[data.draw(st.integers(0, len(line) - 1))] ^= data.draw(st.integers(1, 255))
        lines[number] = bytes(line)
    elif kind == "drop":
        del lines[number]
    elif kind == "double":
        lines.insert(number, lines[number])
    elif kind == "swap":
        lines[number - 1], lines[number] = lines[number], lines[number - 1]
    else:
        content = json.loads(lines[number])
        if kind == "content":
            content["because"]["rows"] = data.draw(
                st.sampled_from([1, -1, 1.0, 10**20, None, "\x7f\u2028\x08/", {"a": 1e16}])
            )
            content[data.draw(st.sampled_from(["at", "by", "verb", "seq"]))] = data.draw(
                st.sampled_from(["", "platform:bob", "2026-11-20T04:00:00", 7, None])
            )
        if kind == "keys":
            content["extra"] = 1
        if kind == "msgspec":  # which writes some numbers in another way
            content["because"]["rows"] = data.draw(st.sampled_from([7, 1e16, 1e-7, [1e16], {"b": 1e-5, "a": True}]))
        writers = {
            "spelling": partial(json.dumps, sort_keys=True),
            "msgspec": msgspec.json.Encoder(order="sorted").encode,
        }
        lines[number] = signed_line(content, key, writers.get(kind, canonical))
    return b"".join(lines)


def signed_line(content: dict[str, Any], key: SigningKey, write: Callable[[Any], str | bytes]) -> bytes:
    """A line with a fitting digest and signature, as someone with the zone's key can write it, in any spelling."""

    def written(value: dict[str, Any]) -> bytes:
        text = write(value)
        return text.encode() if isinstance(text, str) else text

    body = {name: value for name, value in content.items() if name not in ("id", "keyid", "sig")}
    raw = written(body)
    return written({**body, "id": digest(raw), "keyid": f"platform:{key.keyid}", "sig": b64(key.sign(raw))}) + b"\n"


def seal_again(segment: Segment, ledger: Ledger) -> None:
    """Seal whatever the segment's file holds, with the zone's key."""
    content = opened(json.loads(seal_path(segment).read_bytes()), PURPOSE, "platform", ledger.ring)
    whole = segment.path.read_bytes()
    assert ledger.key is not None
    write_record(
        seal_path(segment), signed({**content, "bytes": len(whole), "digest": digest(whole)}, PURPOSE, ledger.key)
    )


def outcome(read: Callable[[], list[Entry]]) -> list[Entry] | None:
    """What is read; None when it is refused."""
    try:
        return read()
    except Broken:
        return None


@pytest.mark.attack
def test_a_segment_that_is_missing_or_another_is_refused(short: Ledger) -> None:
    """A segment removed, put in another's place, or taken from another ledger of the zone is noticed."""
    fill(short, 40)
    segments = closed(short)
    for number, segment in enumerate(segments):
        whole = segment.path.read_bytes()
        segment.path.unlink()
        with pytest.raises(Broken, match=r"missing|not follow"):
            short.verify()
        segment.path.write_bytes(segments[number - 1].path.read_bytes())
        with pytest.raises(Broken):
            short.verify()
        segment.path.write_bytes(whole)
    assert short.verify() == 40


def test_files_are_read_by_the_group_and_by_no_one_else(short: Ledger) -> None:
    """Another zone's process reads a ledger as a member of its group, and nothing else can."""
    fill(short, 20)
    files = [short.path, *(p for p in short.store.folder.rglob("*") if p.is_file()), head_path(short.path)]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o640}


def _write(path: Path, keys: Path, name: str) -> None:
    key = SigningKey.load(keys, "platform")
    ledger = Ledger(path, key, KeyRing.of(key), segment_bytes=4000)
    for number in range(30):
        ledger.append("score.answered", f"{name}-{number}", by=BOB)


def test_writers_of_several_processes_close_segments_together(tmp_path: Path) -> None:
    """Two processes that write and close segments make one chain, without a line lost."""
    key = SigningKey.create(tmp_path, "platform")
    path = tmp_path / "ledger.jsonl"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write, args=(path, tmp_path, name)) for name in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    reader, seen, position = Ledger(path, None, KeyRing.of(key), "platform"), 0, Position()
    while seen < 90 and any(writer.is_alive() for writer in writers):
        for entry, after in reader.follow(position):
            seen, position = seen + 1, after
            assert entry.seq == seen
    for writer in writers:
        writer.join()
    assert reader.verify() == 90
    assert len(closed(reader)) > 5
