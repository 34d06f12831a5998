"""Reads the ledgers of all zones into the states of requests, as far as they verify."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from credit.errors import Broken
from credit.keys import KeyRing
from credit.ledger import Ledger, Position
from credit.ledger.fold_checkpoint import FoldCheckpoint
from credit.ledger.follower import Follower
from credit.requests.request_states import RequestState, RequestStates

AGENTS = ("custody", "research", "compute", "platform", "service")
ZONES = ("desk", *AGENTS)
LEDGERS = {"service": "service-agent"}
"""The ledger of a zone's agent where it is not the zone's own: the service writes thousands of answers a second into
that one, which no other agent should have to read."""
LEDGER_ZONES = {**{zone: zone for zone in ZONES}, **{name: zone for zone, name in LEDGERS.items()}}
"""The name of every ledger of a lab, and the zone that signs it."""
EVERY = 1_000  # entries between two checkpoints
_LOGGER = logging.getLogger("haihe.agent")


def ledger_path(ledgers: Path, zone: str) -> Path:
    """The ledger into which the agent of a zone writes its steps, in the folder of all ledgers."""
    return ledgers / f"{LEDGERS.get(zone, zone)}.jsonl"


@dataclass(slots=True)
class StateReader:
    """The states as one process of ``zone``, fed by the ledgers of all zones."""

    zone: str
    states: RequestStates
    ledgers: Path
    checkpoint: FoldCheckpoint | None = None
    _ledgers: dict[str, Ledger] = field(default_factory=dict)
    _followers: dict[str, Follower] = field(default_factory=dict)
    _stored: int = 0  # entries that the checkpoint covers
    _seen: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # each file as it was when it was last read
    _distrusted: set[str] = field(default_factory=set)  # zones whose ledgers do not verify
    _lock: threading.Lock = field(default_factory=threading.Lock)  # the entries of all ledgers change the same states

    @classmethod
    def open(cls, zone: str, ledgers: Path, ring: KeyRing, checkpoint: FoldCheckpoint | None = None) -> StateReader:
        """Begin where the checkpoint ended, or at the beginning of every ledger; nothing is read yet."""
        each = {name: Ledger(ledger_path(ledgers, name), None, ring, name) for name in ZONES}
        reader = cls(zone, RequestStates(), ledgers, checkpoint, each)
        positions = checkpoint.restore(reader.states, each) if checkpoint else dict.fromkeys(ZONES, Position())
        for name, ledger in each.items():
            reader._followers[name] = Follower(ledger, (reader.states.listener(name),), positions[name])
        reader._stored = sum(position.seq for position in positions.values())
        return reader

    def find(self, request_id: str) -> RequestState | None:
        """The state of a request, also of one that ended long ago; None when the desk has none of this id.

        Raises :class:`Broken` for a ledger whose entries about it do not verify.
        """
        if (known := self.states.get(request_id)) is not None:
            return known
        states = RequestStates()
        for zone, ledger in self._ledgers.items():
            for entry in ledger.about(request_id):
                states.listener(zone)(entry)
        return states.get(request_id)

    def store(self, *, every: int = EVERY) -> None:
        """Write the checkpoint again once ``every`` entries were read since; not while a ledger does not verify.

        Raises :class:`Broken` as :meth:`catch_up` does.
        """
        if self.checkpoint is None or self._distrusted or self._read() - self._stored < every:
            return
        with self._lock:
            early = self.states.early()
            self._catch_up()  # whatever such a step may have followed is older than it, and has been read now
            self.states.discard(early)
            if not self.states.early() and not self._distrusted:
                self.checkpoint.store(self.states, {name: each.position for name, each in self._followers.items()})
                self._stored = self._read()

    def _read(self) -> int:
        return sum(each.position.seq for each in self._followers.values())

    def catch_up(self) -> None:
        """Read what is new. What another zone wrote counts no more once its ledger does not verify; nothing else stops.

        Raises :class:`Broken` for the desk's ledger and this zone's own.
        """
        with self._lock:
            self._catch_up()

    def _catch_up(self) -> None:
        for zone, follower in self._followers.items():
            now = _look(ledger_path(self.ledgers, zone))
            if now == self._seen.get(zone):
                continue  # reading what has not changed, ten times a second, would cost a fiftieth of a processor
            try:
                follower.catch_up()
                self._distrusted.discard(zone)
                self._seen[zone] = now
            except Broken as error:
                if zone in ("desk", self.zone):
                    raise
                if zone not in self._distrusted:
                    line = {"event": "broken", "zone": self.zone, "ledger": zone, "why": str(error)}
                    _LOGGER.error("%s", json.dumps(line, ensure_ascii=False))
                self._distrusted.add(zone)


def _look(path: Path) -> tuple[int, int, int]:
    """What changes whenever a ledger's file is written or exchanged; zeros where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return (0, 0, 0)
    return (status.st_ino, status.st_size, status.st_mtime_ns)
