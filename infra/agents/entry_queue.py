"""The entries of another zone's ledger that an agent has to act on: each stays until it was acted on.

What is away for a while (a store, a disk, a ledger that does not verify) leaves the entry where it is, to be tried
again. An entry that cannot be acted on because of what it says is passed over with a line in the log: another zone
wrote it, and must not be able to stop this one. After a start all of them are tried again.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from credit.errors import CreditError
from credit.ledger import Entry, Ledger
from credit.ledger.follower import Follower
from credit.requests.agent import log_event

OWN_FAULT = 500  # from this status on an error is one of the moment or the machine, and not of what was said


class EntryQueue:
    """The entries with one verb, in order."""

    def __init__(self, ledger: Ledger, verb: str, zone: str) -> None:
        """`zone` is the one that acts, for the log."""
        self._verb, self._zone = verb, zone
        self._waiting: deque[Entry] = deque()
        self._follower = Follower(ledger, (self._take,))

    def read(self) -> int:
        """Read what is new; how many entries wait. Raises Broken."""
        self._follower.catch_up()
        return len(self._waiting)

    def work_off(self, act: Callable[[Entry], None], end: threading.Event) -> None:
        """Act on each entry until `end` is set. Raises OSError and CreditError for what is away for the moment."""
        while self._waiting and not end.is_set():
            entry = self._waiting[0]
            try:
                act(entry)
            except Exception as error:
                if isinstance(error, OSError) or (isinstance(error, CreditError) and error.status >= OWN_FAULT):
                    raise
                log_event("entry passed over", zone=self._zone, entry=entry.id, why=why_of(error))
            self._waiting.popleft()

    def _take(self, entry: Entry) -> None:
        if entry.verb == self._verb:
            self._waiting.append(entry)


def why_of(error: Exception) -> str:
    """What the log says of an error: its words where they are ours, and else its class alone."""
    return str(error) if isinstance(error, CreditError | OSError) else type(error).__name__
