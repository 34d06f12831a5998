"""The head counts: a ledger that has begun has one, of its own zone, that names an entry in its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.errors import Broken
from credit.keys import KeyRing, SigningKey
from credit.ledger import START, Ledger
from credit.ledger.head import has_begun, head_path, write_head
from tests.credit.ledger.forging import add_lines

BOB = Actor("bob", Role.PLATFORM)


@pytest.fixture
def ledger(tmp_path: Path, keys: dict[str, SigningKey]) -> Ledger:
    """A ledger whose folder of public keys records that it has begun."""
    ring = tmp_path / "ring"
    ring.mkdir()
    for zone in ("platform", "service"):
        (ring / f"{zone}.pem").write_bytes(keys[zone].public_pem())
    ledger = Ledger(tmp_path / "platform.jsonl", keys["platform"], KeyRing.load(ring), "platform", segment_bytes=2000)
    for number in range(12):
        ledger.append("release.made", f"release-{number}", by=BOB)
    return ledger


def _older_than_a_closed_segment(ledger: Ledger, keys: dict[str, SigningKey]) -> None:
    write_head(ledger.path, keys["platform"], 1, next(ledger.entries()).id)


ATTACKS: dict[str, tuple[str, Callable[[Ledger, dict[str, SigningKey]], object]]] = {
    "deleted": ("ledger.head-missing", lambda ledger, _: head_path(ledger.path).unlink()),
    "of another zone": (
        "ledger.head-of-another-zone",
        lambda ledger, keys: write_head(ledger.path, keys["service"], *ledger.head()),
    ),
    "forked": (
        "ledger.head-names-another",
        lambda ledger, keys: write_head(ledger.path, keys["platform"], ledger.head()[0], "f" * 64),
    ),
    "of more entries": (
        "entry.lines-missing",
        lambda ledger, keys: write_head(ledger.path, keys["platform"], 99, "f" * 64),
    ),
    "older than a closed segment": ("ledger.head-older", _older_than_a_closed_segment),
    "not a head": ("ledger.head-unreadable", lambda ledger, _: head_path(ledger.path).write_text("{}")),
    "not JSON": ("ledger.file-unreadable", lambda ledger, _: head_path(ledger.path).write_text("")),
}


@pytest.mark.attack
@pytest.mark.parametrize("name", ATTACKS)
def test_a_head_that_is_not_the_ledgers_is_refused(ledger: Ledger, keys: dict[str, SigningKey], name: str) -> None:
    """Readers and writers refuse it, each attack with a message of its own, and nothing is written."""
    expected, attack = ATTACKS[name]
    attack(ledger, keys)
    before = ledger.path.read_bytes()
    for act in (ledger.verify, lambda: ledger.append("release.made", "after", by=BOB)):
        with pytest.raises(Broken) as fault:
            act()
        assert expected in (fault.value.message.id, fault.value.reason.id)
    assert ledger.path.read_bytes() == before


@pytest.mark.attack
def test_a_deleted_ledger_is_missed_and_not_begun_again(ledger: Ledger) -> None:
    """The record beside the public keys says that the ledger has begun, though every file of it is gone."""
    for path in (*ledger.store.folder.rglob("*.json*"), ledger.path, head_path(ledger.path)):
        if path.exists():
            path.unlink()
    assert ledger.has_begun()
    for act in (ledger.verify, lambda: ledger.append("release.made", "after", by=BOB)):
        with pytest.raises(Broken) as fault:
            act()
        assert fault.value.message.id == "ledger.head-missing"


@pytest.mark.attack
def test_the_record_that_a_ledger_has_begun_is_signed_by_its_zone(ledger: Ledger) -> None:
    """A record that was changed is refused, and not taken for one that is not there."""
    assert ledger.ring.folder is not None
    path = ledger.ring.folder / "platform.genesis.json"
    assert has_begun(ledger.path, ledger.ring, "platform")
    record = json.loads(path.read_bytes())
    for changed in ({**record, "zone": "service"}, {}, {**record, "keyid": "service:1"}):
        path.write_text(json.dumps(changed))
        with pytest.raises(Broken):
            has_begun(ledger.path, ledger.ring, "platform")


@pytest.mark.attack
def test_a_line_with_a_signature_that_does_not_verify_is_not_built_upon(ledger: Ledger) -> None:
    """A made-up line at the end, with something that looks like a signature, stops the writer; it is not removed."""
    assert ledger.key is not None
    add_lines(ledger, ledger.key, head=False)
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole.replace(b'"object":"forged"', b'"object":"forgot"'))
    with pytest.raises(Broken, match="changed"):
        ledger.append("release.made", "after", by=BOB)
    assert b"forgot" in ledger.path.read_bytes()


def test_a_new_ledger_begins_with_a_head_of_no_entries(tmp_path: Path, keys: dict[str, SigningKey]) -> None:
    """The head is there before the first line, so that a writer killed between them leaves no ledger without one."""
    ledger = Ledger(tmp_path / "new.jsonl", keys["platform"], KeyRing.of(keys["platform"]), "platform")
    assert ledger.head() == (0, START)
    assert not ledger.has_begun()
    ledger.append_many([])
    assert ledger.head() == (0, START)
    assert ledger.append("release.made", "first", by=BOB).seq == 1
