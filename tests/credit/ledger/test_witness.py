"""A witness countersigns the other zones' heads, and reports which ledger was cut or rewritten and since when."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.errors import Broken
from credit.keys import KeyRing, SigningKey
from credit.ledger import START, Ledger
from credit.ledger.head import head_path, write_head
from credit.ledger.heads_file import exported_heads, require_agreement
from credit.ledger.statement import newest, statements
from credit.ledger.witness import BROKEN, WHOLE, WITNESSED, WitnessFinding, countersign

AGENT, BOB = Actor("agent", Role.SERVICE), Actor("bob", Role.PLATFORM)
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


@dataclass
class Zones:
    """The ledgers of platform, which is attacked, and of custody, which witnesses it."""

    root: Path
    keys: dict[str, SigningKey]
    now: datetime = NOON

    @property
    def platform(self) -> Ledger:
        return self._ledger("platform")

    @property
    def custody(self) -> Ledger:
        return self._ledger("custody")

    def _ledger(self, zone: str) -> Ledger:
        ring = KeyRing.of(*self.keys.values())
        return Ledger(self.root / f"{zone}.jsonl", self.keys[zone], ring, zone, segment_bytes=2000)

    def look(self, seconds: float = 30) -> WitnessFinding:
        self.now += timedelta(seconds=seconds)
        ledgers = {"platform": self.platform, "custody": self.custody}
        (finding,) = countersign(ledgers, self.custody, self.root / "witness", by=AGENT, now=self.now)
        return finding

    def fill(self, count: int, text: str = "") -> None:
        for number in range(count):
            self.platform.append("release.made", f"release-{number}", by=BOB, details={"text": text})

    def verbs(self) -> list[str]:
        return [entry.verb for entry in self.custody.entries()]


@pytest.fixture
def zones(tmp_path: Path, keys: dict[str, SigningKey]) -> Zones:
    return Zones(tmp_path, keys)


def test_a_head_is_countersigned_when_it_is_time(zones: Zones) -> None:
    """Every 20 seconds, or when the ledger has grown by 1,000 entries; nothing else is written."""
    zones.fill(3)
    first = zones.look().statement
    assert first is not None
    assert (first.seq, first.witness) == (3, "custody")
    zones.fill(1)
    assert zones.look(5).statement == first
    later = zones.look(16).statement
    assert later is not None
    assert later.seq == 4
    zones.platform.append_many([("release.made", str(n), BOB, {}) for n in range(1000)])
    soon = zones.look(1).statement
    assert soon is not None
    assert soon.seq == 1004
    assert statements(zones.root / "witness", "platform", zones.custody.ring) == [soon]
    history = json.loads((zones.root / "witness" / "custody" / "platform.history.json").read_bytes())
    assert [each["seq"] for each in history["statements"]] == [3, 4, 1004]
    assert zones.verbs() == [WITNESSED]


def _rewritten(zones: Zones, at: int) -> None:
    """The platform writes its ledger again from ``at`` on, with its own key, as if that had been its history."""
    ledger = zones.platform
    acts = [(e.verb, e.object, e.by, dict(e.details)) for e in ledger.entries()]
    whole = b"".join(segment.path.read_bytes() for segment in ledger.store.segments())
    lines = whole.splitlines(keepends=True)[: at - 1]
    shutil.rmtree(ledger.store.folder, ignore_errors=True)
    ledger.path.write_bytes(b"".join(lines))
    write_head(ledger.path, zones.keys["platform"], at - 1, json.loads(lines[-1])["id"] if lines else START)
    for verb, name, by, details in acts[at - 1 :]:
        zones.platform.append(verb, name, by=by, details=details | {"other": True})


def _older_copy(zones: Zones, _: int) -> None:
    ledger = zones.platform
    for path in (ledger.path, head_path(ledger.path)):
        path.unlink()
    shutil.rmtree(ledger.store.folder, ignore_errors=True)
    shutil.copytree(zones.root / "copy", zones.root, dirs_exist_ok=True)


def _head_removed(zones: Zones, _: int) -> None:
    head_path(zones.platform.path).unlink()


def _everything_removed(zones: Zones, _: int) -> None:
    _head_removed(zones, 0)
    zones.platform.path.unlink()
    shutil.rmtree(zones.platform.store.folder, ignore_errors=True)


def _head_of_another_zone(zones: Zones, _: int) -> None:
    seq, last = zones.platform.head()
    write_head(zones.platform.path, zones.keys["service"], seq, last)


def _two_heads_for_one_number(zones: Zones, _: int) -> None:
    write_head(zones.platform.path, zones.keys["platform"], zones.platform.head()[0], "f" * 64)


def _last_segment_removed(zones: Zones, _: int) -> None:
    closed = [segment for segment in zones.platform.store.segments() if segment.closed]
    closed[-1].path.unlink()
    zones.platform.path.write_bytes(b"")


ATTACKS: dict[str, Callable[[Zones, int], None]] = {
    "rewritten with the zone's key": _rewritten,
    "an older copy of ledger and head": _older_copy,
    "head removed": _head_removed,
    "all removed": _everything_removed,
    "head of another zone": _head_of_another_zone,
    "two heads for one number": _two_heads_for_one_number,
    "last segment removed": _last_segment_removed,
}


@pytest.mark.attack
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_what_was_countersigned_is_reported_once_with_its_time(zones: Zones, name: str) -> None:
    """Each is found at the next look, recorded once in the ledger of the witness, and so is its end."""
    zones.fill(6)
    shutil.copytree(zones.root, zones.root / "copy", ignore=shutil.ignore_patterns("custody*", "witness", "copy"))
    zones.fill(20)
    good = zones.look().statement
    assert good is not None
    kept = {path: path.read_bytes() for path in zones.root.glob("platform*/**/*") if path.is_file()}
    kept |= {path: path.read_bytes() for path in zones.root.glob("platform*") if path.is_file()}
    ATTACKS[name](zones, 9)
    for _ in range(3):
        finding = zones.look()
        assert finding.broken is not None
        assert finding.statement == good, "nothing younger is countersigned"
    (alarm,) = [entry for entry in zones.custody.entries() if entry.verb == BROKEN]
    assert (alarm.object, alarm.details["seq"], alarm.details["countersigned_at"]) == ("ledger-platform", 26, good.at)
    assert (zones.root / "witness" / "custody" / "platform.alarm.json").exists()
    for path, content in kept.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert zones.look().broken is None
    assert zones.verbs() == [WITNESSED, BROKEN, WHOLE]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.attack
def test_any_rewriting_of_a_countersigned_entry_is_seen_by_verification(zones: Zones, data: st.DataObject) -> None:
    """Whichever entry the zone itself changes and signs again, the statement of the witness does not fit any more."""
    shutil.rmtree(zones.root)
    zones.root.mkdir()
    count, extra = data.draw(st.integers(1, 12)), data.draw(st.integers(0, 4))
    zones.fill(count)
    zones.look()
    zones.fill(extra)
    at = data.draw(st.integers(1, count + extra))
    _rewritten(zones, at)
    zones.platform.verify()  # by itself it is whole
    (statement,) = statements(zones.root / "witness", "platform", zones.custody.ring)
    if at <= count:
        with pytest.raises(Broken, match="rewritten"):
            statement.require_true(zones.platform)
    else:
        statement.require_true(zones.platform)  # younger than the countersignature: not promised


@pytest.mark.attack
def test_only_the_witness_signs_its_statements(zones: Zones) -> None:
    """A statement of another zone, or in another's name, or for another ledger, is none."""
    zones.fill(3)
    good = zones.look().statement
    assert good is not None
    path = zones.root / "witness" / "custody" / "platform.json"
    for forged in (
        good.signed(zones.keys["platform"]),
        {**good.signed(zones.keys["custody"]), "seq": 1},
        replace(good, witness="service").signed(zones.keys["custody"]),
        replace(good, ledger="research").signed(zones.keys["custody"]),
        {},
    ):
        path.write_text(json.dumps(forged))
        with pytest.raises(Broken):
            newest(zones.root / "witness", "platform", "custody", zones.custody.ring)
    path.unlink()
    assert isinstance(zones.look().broken, Broken), "the witness's ledger says that there was one"


def test_heads_are_exported_and_compared_later(zones: Zones) -> None:
    """A file of heads kept outside shows what was cut or rewritten, though the machine's keys signed it."""
    zones.fill(20)
    zones.look()
    ledgers = {"platform": zones.platform, "custody": zones.custody}
    exported = json.loads(json.dumps(exported_heads(ledgers, zones.root / "witness")))
    zones.fill(5)
    assert require_agreement(exported, ledgers, zones.custody.ring) == {"platform": 20, "custody": 1}
    _rewritten(zones, 7)
    with pytest.raises(Broken, match="rewritten"):
        require_agreement(exported, ledgers, zones.custody.ring)
