"""Follow a ledger as it grows: each entry is read and verified once, however often the ledger is queried."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from credit.errors import Broken
from credit.ledger import Entry, Ledger, Position


class Follower:
    """Passes every entry of a ledger to each listener, once and in order. Several threads may share a follower."""

    def __init__(
        self, ledger: Ledger, listeners: Iterable[Callable[[Entry], None]], position: Position = Position()
    ) -> None:
        self._ledger, self._listeners = ledger, tuple(listeners)
        self._position = position
        self._lock = threading.Lock()

    @property
    def position(self) -> Position:
        """After the last entry that was passed on."""
        return self._position

    def catch_up(self) -> int:
        """Read the entries written since the last call and return the number of entries so far.

        An incomplete last line belongs to a writer at work (or killed) and is not an entry yet. Raises :class:`Broken`
        as reading a ledger does.
        """
        with self._lock:
            for entry, position in self._ledger.follow(self._position):
                self._position = position
                for listener in self._listeners:
                    listener(entry)
            return self._position.seq


@dataclass(frozen=True, slots=True)
class CachedLedger(Ledger):
    """A ledger whose ``entries()`` returns only the entries of some kinds of verbs, each read and verified once.

    ``kinds`` are the parts of verbs before the dot, such as ``project``. :meth:`verify` and appending are as for every
    ledger.
    """

    kinds: tuple[str, ...] = ()
    _kept: list[Entry] = field(default_factory=list, repr=False, compare=False)
    _followed: list[Follower] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Start at the beginning of the file."""
        self._begin()

    @classmethod
    def of(cls, ledger: Ledger, *kinds: str) -> CachedLedger:
        """The same ledger, with the entries of these kinds kept in memory."""
        return cls(ledger.path, ledger.key, ledger.ring, ledger.zone, kinds=kinds)

    def entries(self) -> Iterator[Entry]:
        """The entries of ``kinds`` up to now, in order.

        When entries that were read are no longer in the file (it was repaired or truncated), the whole ledger is read
        again from the start; raises :class:`Broken` when it does not verify.
        """
        try:
            self._followed[0].catch_up()
        except Broken:
            self._begin()
            self._followed[0].catch_up()
        return iter(tuple(self._kept))

    def verified(self) -> Iterator[Entry]:
        """Every entry of every kind, read and verified from the file as by :meth:`Ledger.verified`."""
        return Ledger(self.path, self.key, self.ring, self.zone).verified()

    def _begin(self) -> None:
        self._kept.clear()
        self._followed[:] = [Follower(Ledger(self.path, self.key, self.ring, self.zone), (self._keep,))]

    def _keep(self, entry: Entry) -> None:
        if entry.verb.partition(".")[0] in self.kinds:
            self._kept.append(entry)
