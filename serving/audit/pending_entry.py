"""An entry of the ledger that a request waits for, and the notes about those that failed after they were written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from credit.actor import Actor, Role
from credit.ledger.entry import Act, Entry

UNCONFIRMED = "entry.unconfirmed"  # the ledger verb
_SERVICE = Actor("scoring", Role.SERVICE)


@dataclass(slots=True, eq=False)
class PendingEntry:
    """One entry and the future of its request. No method raises: one request's failure is no other request's."""

    act: Act
    make: Callable[[Entry], Any]
    future: asyncio.Future[Any]
    until: float  # when the request stops waiting, in the loop's time
    entry: Entry | None = None
    value: Any = None
    fault: BaseException | None = None

    def prepare(self, entry: Entry) -> None:
        """Make the request's value of the entry, which has its place in the file and may still be lost."""
        self.entry = entry
        try:
            self.value = self.make(entry)
        except Exception as fault:  # of this request alone
            self.fault = fault

    def end(self, fault: Exception | None) -> None:
        """Give the request its value, or the fault."""
        if self.future.done():  # the request was given up, or its connection was closed
            return
        failure = fault or self.fault
        if failure is not None:
            self.future.set_exception(failure)
        else:
            self.future.set_result(self.value)


def unconfirmed_acts(batch: Iterable[PendingEntry], why: str) -> list[Act]:
    """Notes that the requests behind these entries were refused, although the entries are in the file."""
    return [
        (UNCONFIRMED, pending.act[1], _SERVICE, {"entry": pending.entry.id, "verb": pending.act[0], "why": why})
        for pending in batch
        if pending.entry is not None
    ]
