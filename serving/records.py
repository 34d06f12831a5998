"""Every call into the ledger before its answer leaves: calls that wait together share one durable write."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from credit.actor import Actor
from credit.errors import Broken
from credit.ledger import Entry
from serving.journal import HEAD_SECONDS, Busy, Journal

MOST = 256  # entries in one write: bounds how long the first of them waits
AGAIN = 0.0005  # seconds until a write is tried again while another process is writing
Act = tuple[str, str, Actor, Mapping[str, Any]]
_Waiting = list[tuple[Act, asyncio.Future[Entry]]]


class Recorder:
    """Group commit before a ledger: while one write is being made durable, the next gathers.

    The event loop writes, and a thread of ours does nothing but wait for the disk, without the interpreter's lock: so
    a hundred answers cost one hop to the thread and one back, and no two threads ever want the interpreter at once.
    """

    def __init__(self, ledger: Journal) -> None:
        """Starts the thread that waits for the disk."""
        self._ledger = ledger
        self._syncs: queue.SimpleQueue[Callable[[Exception | None], object] | None] = queue.SimpleQueue()
        self._waiting: _Waiting = []
        self._writing = False  # whether a write is under way, or planned
        self._head: asyncio.TimerHandle | None = None
        self._fault: str | None = None
        self._thread = threading.Thread(target=self._sync, name="ledger", daemon=True)
        self._thread.start()

    async def record(self, verb: str, thing: str, *, by: Actor, because: Mapping[str, Any]) -> Entry:
        """Append one entry and wait until it is durable. Raises Broken when it is not: then nothing may be answered."""
        self._require_thread()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Entry] = loop.create_future()
        self._waiting.append(((verb, thing, by, because), future))
        if not self._writing:
            self._writing = True
            loop.call_soon(self._write, loop)  # after the other calls that came with the same turn of the loop
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
            self._ledger.append_many([act for act, _ in batch])
        self._syncs.put(None)
        self._thread.join(timeout=30)
        if self._fault is None:
            self._ledger.settle()

    def _require_thread(self) -> None:
        if not self._thread.is_alive():
            raise Broken("The ledger's writer has stopped", remedy="Restart the service")

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write what waits; the thread makes it durable."""
        batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        if not batch:
            self._writing = False
            if self._head is None:
                self._head = loop.call_later(HEAD_SECONDS, self._settle, loop)
            return
        try:
            entries = self._ledger.write([act for act, _ in batch], wait=False)
        except Busy:
            self._waiting = batch + self._waiting
            loop.call_later(AGAIN, self._write, loop)
        except Exception as fault:  # each caller gets it, readiness shows it, and the next write is tried all the same
            self._deliver(loop, batch, [], fault)
        else:
            self._syncs.put(partial(_on, loop, self._deliver, batch, entries))

    def _deliver(
        self, loop: asyncio.AbstractEventLoop, batch: _Waiting, entries: list[Entry], fault: Exception | None
    ) -> None:
        """First the next write, then the answers of this one: those need no disk."""
        self._fault = type(fault).__name__ if fault else None
        self._write(loop) if fault is None else loop.call_soon(self._write, loop)
        for number, (_, future) in enumerate(batch):
            if future.cancelled():  # a client that hung up does not take back what happened
                continue
            if fault is None:
                future.set_result(entries[number])
            else:
                broken = Broken("The ledger could not be written", why=type(fault).__name__,
                                remedy="Nothing was answered; try again")  # fmt: skip
                broken.__cause__ = fault
                future.set_exception(broken)

    def _settle(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a pause the head of the ledger catches up."""
        self._head = None
        if self._writing:
            return
        try:
            if not self._ledger.settle():
                self._head = loop.call_later(AGAIN, self._settle, loop)
        except Exception as error:  # readiness shows it
            self._fault = type(error).__name__

    def _sync(self) -> None:
        while (done := self._syncs.get()) is not None:
            try:
                self._ledger.sync()
            except Exception as fault:
                done(fault)
            else:
                done(None)


def _on(loop: asyncio.AbstractEventLoop, deliver: Callable[..., object], batch: _Waiting, entries: list[Entry],
        fault: Exception | None) -> None:  # fmt: skip
    """Hand the outcome to the event loop, unless it is gone: then nobody waits any more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(deliver, loop, batch, entries, fault)
