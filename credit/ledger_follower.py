"""Following a ledger as it grows: each entry is read and verified once, however often somebody looks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from credit.errors import Broken
from credit.ledger import Entry, Ledger, Mark


class Follower:
    """Tells each listener every entry of a ledger, in order and once. One follower may serve several threads."""

    def __init__(self, ledger: Ledger, listeners: Iterable[Callable[[Entry], None]]) -> None:
        self._ledger, self._listeners = ledger, tuple(listeners)
        self._mark = Mark()
        self._turn = threading.Lock()

    def catch_up(self) -> int:
        """Read what was written since; the number of entries so far. Raises :class:`Broken` as reading a ledger does.

        A last line without its end is a writer at work (or killed): it is not an entry yet.
        """
        with self._turn:
            for entry, mark in self._ledger.follow(self._mark):
                self._mark = mark
                for listener in self._listeners:
                    listener(entry)
            return self._mark.seq


@dataclass(frozen=True, slots=True)
class Remembered(Ledger):
    """A ledger for those who fold it again and again: ``entries()`` gives those of some kinds of verbs, each read once.

    ``kinds`` are what stands before the dot, as ``project``. :meth:`verify` and appending are as for every ledger.
    """

    kinds: tuple[str, ...] = ()
    _kept: list[Entry] = field(default_factory=list, repr=False, compare=False)
    _followed: list[Follower] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Begin to follow the file."""
        self._begin()

    @classmethod
    def of(cls, ledger: Ledger, *kinds: str) -> Remembered:
        """The same ledger, remembered."""
        return cls(ledger.path, ledger.key, ledger.ring, ledger.zone, kinds=kinds)

    def entries(self) -> Iterator[Entry]:
        """The entries of ``kinds`` up to now, in order.

        Where what was read is not there any more (a ledger that was mended, or cut), all of it is read again from the
        start; raises :class:`Broken` when it does not verify.
        """
        try:
            self._followed[0].catch_up()
        except Broken:
            self._begin()
            self._followed[0].catch_up()
        return iter(tuple(self._kept))

    def verified(self) -> Iterator[Entry]:
        """Every entry, as the whole ledger tells it."""
        return Ledger(self.path, self.key, self.ring, self.zone).verified()

    def _begin(self) -> None:
        self._kept.clear()
        self._followed[:] = [Follower(Ledger(self.path, self.key, self.ring, self.zone), (self._keep,))]

    def _keep(self, entry: Entry) -> None:
        if entry.verb.partition(".")[0] in self.kinds:
            self._kept.append(entry)
