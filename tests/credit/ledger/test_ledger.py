"""Verification names the line at which a ledger was changed, truncated, reordered or written without the zone's key."""

from __future__ import annotations

import base64
import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.canonical import canonical
from credit.errors import Broken, Malformed
from credit.keys import KeyRing, SigningKey
from credit.ledger import Entry, Ledger, Position
from credit.ledger.head import head_path
from tests.credit.ledger.forging import add_lines

BOB = Actor("bob", Role.PLATFORM)


def fill(ledger: Ledger, count: int = 5) -> list[bytes]:
    for number in range(count):
        ledger.append("release.made", f"release-{number}", by=BOB, details={"rows": number, "why": "月度"})
    return ledger.path.read_bytes().splitlines(keepends=True)


def test_entries_come_back_as_written(ledger: Ledger) -> None:
    fill(ledger)
    assert ledger.verify() == 5
    entry = ledger.about("release-3")[0]
    assert (entry.seq, entry.by, entry.details["why"]) == (4, BOB, "月度")
    assert ledger.head() == (5, list(ledger.entries())[-1].id)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_seen(ledger: Ledger, data: st.DataObject) -> None:
    whole = ledger.path.read_bytes() if ledger.path.exists() else b"".join(fill(ledger))
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != whole[place]))
    ledger.path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
    try:
        with pytest.raises(Broken):
            ledger.verify()
    finally:
        ledger.path.write_bytes(whole)


def test_another_spelling_of_the_same_time_or_text_is_seen(ledger: Ledger) -> None:
    fill(ledger, 1)
    whole = ledger.path.read_bytes()
    for place in range(len(whole)):
        for other in {32, 44, 46, ord("t"), ord("x"), whole[place] ^ 1} - {whole[place]}:
            ledger.path.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
            with pytest.raises(Broken):
                list(ledger.entries())


def test_another_spelling_of_the_same_signature_is_seen(ledger: Ledger) -> None:
    lines = fill(ledger)
    stored = json.loads(lines[2])
    last = stored["sig"][-3]  # 64 bytes leave four spare bits in the last character before the padding
    other = next(c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" if c != last and
                 base64.b64decode(stored["sig"][:-3] + c + "==") == base64.b64decode(stored["sig"]))  # fmt: skip
    lines[2] = lines[2].replace(stored["sig"].encode(), (stored["sig"][:-3] + other + "==").encode())
    ledger.path.write_bytes(b"".join(lines))
    with pytest.raises(Broken, match="line 3"):
        ledger.verify()


@pytest.mark.parametrize(
    "keep", [(1, 2, 3, 4), (0, 2, 3, 4), (0, 1, 2, 3), (0,), (), (0, 2, 1, 3, 4), (0, 0, 1, 2, 3, 4)], ids=str
)
def test_a_missing_moved_or_doubled_line_is_seen(ledger: Ledger, keep: tuple[int, ...]) -> None:
    lines = fill(ledger)
    ledger.path.write_bytes(b"".join(lines[number] for number in keep))
    with pytest.raises(Broken, match="ledger is broken at line"):
        ledger.verify()


def test_nothing_is_appended_after_a_cut(ledger: Ledger) -> None:
    lines = fill(ledger)
    ledger.path.write_bytes(b"".join(lines[:3]))
    with pytest.raises(Broken, match="lines are missing"):
        ledger.append("release.made", "release-9", by=BOB)


def test_a_line_by_an_unknown_key_is_detected(tmp_path: Path, ledger: Ledger) -> None:
    fill(ledger)
    unknown_key = SigningKey.create(tmp_path / "unknown", "platform")
    add_lines(ledger, unknown_key, head=False)
    with pytest.raises(Broken, match="not in the ring"):
        ledger.verify()
    with pytest.raises(Broken, match="not in the ring"):
        ledger.append("release.made", "after", by=BOB)


def test_a_line_by_another_zone_is_seen(ledger: Ledger, keys: dict[str, SigningKey]) -> None:
    fill(ledger)
    with pytest.raises(Broken, match="signed by the zone platform"):
        Ledger(ledger.path, keys["service"], ledger.ring).append("promotion.granted", "version-1", by=BOB)
    add_lines(ledger, keys["service"], head=False)
    for act in (ledger.verify, lambda: ledger.append("release.made", "after", by=BOB)):
        with pytest.raises(Broken, match="signed by the zone service"):
            act()


def test_an_incomplete_last_line_is_removed(ledger: Ledger) -> None:
    lines = fill(ledger)
    ledger.path.write_bytes(b"".join(lines) + lines[-1][:40])
    ledger.append("release.made", "release-6", by=BOB)
    assert ledger.verify() == 6


def test_a_writer_killed_before_the_head_loses_nothing(ledger: Ledger) -> None:
    fill(ledger, 2)
    head = ledger.path.with_suffix(".head.json")
    old = head.read_bytes()
    fill(ledger, 1)
    head.write_bytes(old)
    assert ledger.verify() == 3


def test_a_forged_head_is_seen(ledger: Ledger) -> None:
    lines = fill(ledger)
    ledger.path.write_bytes(b"".join(lines[:3]))
    head = ledger.path.with_suffix(".head.json")
    stored = json.loads(head.read_text()) | {"seq": 3, "id": json.loads(lines[2])["id"]}
    head.write_text(json.dumps(stored))
    with pytest.raises(Broken, match="signature"):
        ledger.verify()


def test_a_reader_cannot_write(ledger: Ledger) -> None:
    with pytest.raises(Malformed):
        Ledger(ledger.path, None, ledger.ring).append("release.made", "x", by=BOB)


def _write(path: Path, keys: Path, name: str) -> None:
    key = SigningKey.load(keys, "platform")
    ledger = Ledger(path, key, KeyRing.of(key))
    for number in range(20):
        ledger.append("score.answered", f"{name}-{number}", by=BOB)


def test_writers_of_several_processes_make_one_chain(tmp_path: Path) -> None:
    key = SigningKey.create(tmp_path, "platform")
    path = tmp_path / "ledger.jsonl"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write, args=(path, tmp_path, name)) for name in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert Ledger(path, None, KeyRing.of(key)).verify() == 60


def test_what_is_written_together_is_signed_once_and_no_byte_of_it_can_be_changed(ledger: Ledger) -> None:
    acts = [("release.made", f"release-{n}", BOB, {"rows": n}) for n in range(4)]
    ledger.append_many(acts)
    ledger.append_many(acts)
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    assert [number for number, line in enumerate(lines, 1) if b'"sig":' in line] == [4, 8]
    assert ledger.verify() == 8
    for place in range(0, len(lines[1]), 7):
        other = bytearray(lines[1])
        other[place] ^= 1
        ledger.path.write_bytes(b"".join((lines[0], other, *lines[2:])))
        with pytest.raises(Broken):
            ledger.verify()


@pytest.mark.attack
def test_near_line_ends_are_not_entries(ledger: Ledger) -> None:
    """A writer without the key can neither add an entry nor remove a signature unnoticed."""
    fill(ledger, 2)
    whole, mark = ledger.path.read_bytes(), list(ledger.follow(Position()))[-1][1]
    forged = _unsigned(ledger.append("release.made", "release-x", by=BOB))
    ledger.path.write_bytes(whole + forged)
    with pytest.raises(Broken, match=r"line 3: the last entries have no signature"):
        list(ledger.entries())
    assert list(ledger.follow(mark)) == []
    with pytest.raises(Broken, match="lines are missing"):  # its signature was taken off: the signed head knows of it
        ledger.append("release.made", "release-y", by=BOB)
    head_path(ledger.path).write_bytes(_head_of(ledger, 2))
    assert ledger.append("release.made", "release-z", by=BOB).seq == 3  # never acknowledged: taken off
    assert [entry.object for entry in ledger.verified()] == ["release-0", "release-1", "release-z"]


def test_an_incomplete_write_is_removed_back_to_the_last_signature(ledger: Ledger) -> None:
    fill(ledger, 2)
    head, before = head_path(ledger.path).read_bytes(), ledger.path.stat().st_size
    ledger.append_many([("release.made", f"late-{n}", BOB, {}) for n in range(3)])
    whole = ledger.path.read_bytes()
    ends = [place for place, byte in enumerate(whole) if byte == ord("\n")]
    near_line_ends = {place for end in ends for place in range(end - 2, end + 3)}
    for kept in range(before, len(whole)):
        if kept % 5 and kept not in near_line_ends:
            continue  # within a line one place is as another
        ledger.path.write_bytes(whole[:kept])
        head_path(ledger.path).write_bytes(head)
        assert list(ledger.follow(Position()))[-1][1].seq == 2
        assert ledger.append("release.made", "next", by=BOB).seq == 3
        assert ledger.verify() == 3


def _unsigned(entry: Entry) -> bytes:
    return canonical(json.loads(entry.body()) | {"id": entry.id}) + b"\n"


def _head_of(ledger: Ledger, seq: int) -> bytes:
    name = ledger.path.read_bytes().splitlines()[seq - 1]
    assert ledger.key is not None
    last = json.loads(name)["id"]
    signature = base64.b64encode(ledger.key.sign(f"{seq} {last}".encode())).decode()
    return canonical({"seq": seq, "id": last, "keyid": f"{ledger.key.zone}:{ledger.key.keyid}", "sig": signature})
