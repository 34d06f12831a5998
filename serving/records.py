"""Every call into the ledger before its answer leaves: calls that wait together share one durable write."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from credit.actor import Actor
from credit.errors import Broken
from credit.ledger import Entry, Ledger

MOST = 256  # entries in one write: bounds how long the first of them waits
_Act = tuple[str, str, Actor, Mapping[str, Any]]


class Recorder:
    """One writer thread before a ledger (group commit): while one write is being made durable, the next gathers."""

    def __init__(self, ledger: Ledger) -> None:
        """Starts the writer thread."""
        self._ledger = ledger
        self._waiting: queue.SimpleQueue[tuple[_Act, Future[Entry]] | None] = queue.SimpleQueue()
        self._fault: str | None = None
        self._thread = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._thread.start()

    def submit(self, verb: str, thing: str, *, by: Actor, because: Mapping[str, Any]) -> Future[Entry]:
        """Queue one entry; the future is done when it is durable."""
        if not self._thread.is_alive():
            raise Broken("The ledger's writer has stopped", remedy="Restart the service")
        future: Future[Entry] = Future()
        self._waiting.put(((verb, thing, by, because), future))
        return future

    async def record(self, verb: str, thing: str, *, by: Actor, because: Mapping[str, Any]) -> Entry:
        """Append one entry and wait until it is durable. Raises Broken when it is not: then nothing may be answered."""
        future = self.submit(verb, thing, by=by, because=because)
        # Shielded: a client that hangs up does not take back what happened.
        return await asyncio.shield(asyncio.wrap_future(future))

    def require_writable(self) -> None:
        """Raises Broken unless the next entry can be expected to be written: readiness asks this."""
        if not self._thread.is_alive():
            raise Broken("The ledger's writer has stopped", remedy="Restart the service")
        if self._fault:
            raise Broken("The last write to the ledger failed", why=self._fault)
        place = self._ledger.path if self._ledger.path.exists() else self._ledger.path.parent
        if not os.access(place, os.W_OK):
            raise Broken("The ledger cannot be written", why="its file is not writable by the service")

    def close(self) -> None:
        """Write what is queued, then stop."""
        self._waiting.put(None)
        self._thread.join(timeout=30)

    def _write(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, last = [first], False
            while len(batch) < MOST and not last:
                try:
                    following = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last = True
                else:
                    batch.append(following)
            self._commit(batch)
            if last:
                return

    def _commit(self, batch: list[tuple[_Act, Future[Entry]]]) -> None:
        try:
            entries = self._ledger.append_many([act for act, _ in batch])
        except Exception as error:  # the thread must live on: each caller gets the fault, readiness shows it
            self._fault = type(error).__name__
            fault = Broken("The ledger could not be written", why=self._fault, remedy="Nothing was answered; try again")
            fault.__cause__ = error
            for _, future in batch:
                future.set_exception(fault)
            return
        self._fault = None
        for (_, future), entry in zip(batch, entries, strict=True):
            future.set_result(entry)
