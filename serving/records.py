"""Every call into the ledger before its answer leaves: calls that wait together share one durable write."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from credit.actor import Actor
from credit.errors import Broken
from credit.ledger import Entry
from serving.journal import HEAD_SECONDS, Journal

MOST = 256  # entries in one write: bounds how long the first of them waits
Act = tuple[str, str, Actor, Mapping[str, Any]]
_Done = Callable[[Sequence[Entry] | Broken], object]


class Recorder:
    """One writer thread before a ledger (group commit): while one write is being made durable, the next gathers.

    On the event loop the gathering is a plain list, so that a hundred answers cost one hop to the thread and one back.
    """

    def __init__(self, ledger: Journal) -> None:
        """Starts the writer thread."""
        self._ledger = ledger
        self._batches: queue.SimpleQueue[tuple[Sequence[Act], _Done] | None] = queue.SimpleQueue()
        self._waiting: list[tuple[Act, asyncio.Future[Entry]]] = []
        self._writing = False  # whether a write that the event loop asked for is under way
        self._fault: str | None = None
        self._thread = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._thread.start()

    def submit(self, verb: str, thing: str, *, by: Actor, because: Mapping[str, Any]) -> Future[Entry]:
        """Queue one entry from any thread; the future is done when it is durable. Raises Broken after `close`."""
        self._require_thread()
        future: Future[Entry] = Future()

        def done(told: Sequence[Entry] | Broken) -> None:
            if isinstance(told, Broken):
                future.set_exception(told)
            else:
                future.set_result(told[0])

        self._batches.put((((verb, thing, by, because),), done))
        return future

    async def record(self, verb: str, thing: str, *, by: Actor, because: Mapping[str, Any]) -> Entry:
        """Append one entry and wait until it is durable. Raises Broken when it is not: then nothing may be answered."""
        self._require_thread()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Entry] = loop.create_future()
        self._waiting.append(((verb, thing, by, because), future))
        if not self._writing and len(self._waiting) == 1:
            loop.call_soon(self._flush, loop)  # after the other calls that came with the same turn of the loop
        return await future

    def require_writable(self) -> None:
        """Raises Broken unless the next entry can be expected to be written: readiness asks this."""
        self._require_thread()
        if self._fault:
            raise Broken("The last write to the ledger failed", why=self._fault)
        place = self._ledger.path if self._ledger.path.exists() else self._ledger.path.parent
        if not os.access(place, os.W_OK):
            raise Broken("The ledger cannot be written", why="its file is not writable by the service")

    def close(self) -> None:
        """Write what is queued, then stop."""
        batch, self._waiting = self._waiting, []
        if batch:
            self._batches.put(([act for act, _ in batch], lambda told: None))
        self._batches.put(None)
        self._thread.join(timeout=30)

    def _require_thread(self) -> None:
        if not self._thread.is_alive():
            raise Broken("The ledger's writer has stopped", remedy="Restart the service")

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._writing or not self._waiting:
            return
        batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        self._writing = True
        acts, futures = [act for act, _ in batch], [future for _, future in batch]

        def deliver(told: Sequence[Entry] | Broken) -> None:
            self._writing = False
            self._flush(loop)  # first the next write, then the answers of this one: those need no disk
            for number, future in enumerate(futures):
                if future.cancelled():  # a client that hung up does not take back what happened
                    continue
                if isinstance(told, Broken):
                    future.set_exception(told)
                else:
                    future.set_result(told[number])

        self._batches.put((acts, partial(_on, loop, deliver)))

    def _write(self) -> None:
        while (batch := self._next()) is not None:
            acts, done = batch
            done(self._commit(acts))
        self._settle()

    def _next(self) -> tuple[Sequence[Act], _Done] | None:
        """The next batch; in a pause the head of the ledger catches up."""
        try:
            return self._batches.get(timeout=HEAD_SECONDS)
        except queue.Empty:
            self._settle()
            return self._batches.get()

    def _settle(self) -> None:
        try:
            self._ledger.settle()
        except Exception as error:  # readiness shows it
            self._fault = type(error).__name__

    def _commit(self, acts: Sequence[Act]) -> Sequence[Entry] | Broken:
        try:
            entries = self._ledger.append_many(acts)
        except Exception as error:  # the thread must live on: each caller gets the fault, readiness shows it
            self._fault = type(error).__name__
            fault = Broken("The ledger could not be written", why=self._fault, remedy="Nothing was answered; try again")
            fault.__cause__ = error
            return fault
        self._fault = None
        return entries


def _on(loop: asyncio.AbstractEventLoop, deliver: _Done, told: Sequence[Entry] | Broken) -> None:
    """Hand the outcome to the event loop, unless it is gone: then nobody waits any more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(deliver, told)
