"""Following a ledger (台账跟读): what has been verified once in this process is not verified again at every look.

A ledger of many thousand entries takes seconds to verify from its start, and a desk looks at it several times in one
act. A follower goes on from the last entry it has verified, each new one chained to it and signed. When that entry is
not where it was, it starts over, so that a ledger that was cut, replaced or mended is read as a whole. What only a
whole reading finds, a change far back, `haihe ledger verify` finds.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from credit.errors import Broken
from credit.ledger import START, Entry, Ledger


@dataclass
class Follower:
    """Keeps the entries of some kinds of verb (``parcel`` of ``parcel.voted``). Threads may share it."""

    ledger: Ledger
    kinds: tuple[str, ...]
    _kept: list[Entry] = field(default_factory=list, repr=False)
    _last: bytes = field(default=b"", repr=False)
    _offset: int = 0
    _count: int = 0
    _previous: str = START
    _zone: str = ""
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def entries(self) -> list[Entry]:
        """Every entry of these kinds up to now, in order; raises :class:`Broken` as :meth:`Ledger.entries` does."""
        with self._turn:
            path = self.ledger.path
            if not path.exists():
                self._forget()
                return []
            if not self._stands(path):
                self._forget()
            try:
                self._go_on(path)
            except Broken:
                self._forget()
                raise
            return list(self._kept)

    def _stands(self, path: Path) -> bool:
        """True when the last line that was read is where it was."""
        with path.open("rb") as stream:
            stream.seek(self._offset - len(self._last))
            return stream.read(len(self._last)) == self._last

    def _go_on(self, path: Path) -> None:
        with path.open("rb") as stream:
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    break  # a writer is at it: not an entry yet
                entry, signer = self.ledger._read(line, self._count + 1, self._previous)
                zone = self._zone or self.ledger.zone or (self.ledger.key.zone if self.ledger.key else signer)
                if signer != zone:
                    raise Broken(f"The ledger is broken at line {self._count + 1}", why=f"zone {signer} signed it")
                self._zone, self._previous, self._last = zone, entry.id, line
                self._offset, self._count = self._offset + len(line), self._count + 1
                if entry.verb.partition(".")[0] in self.kinds:
                    self._kept.append(entry)

    def _forget(self) -> None:
        self._kept, self._last, self._offset, self._count, self._previous = [], b"", 0, 0, START
