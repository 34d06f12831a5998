"""Every call into the ledger before its answer leaves: calls that wait together share one durable write."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from credit.actor import Actor
from credit.entry import Act, Entry
from credit.errors import Broken
from credit.messages import Text
from serving.audit.journal import HEAD_SECONDS, Busy, Journal

MOST = 256  # entries in one write: bounds how long the first of them waits
AGAIN = 0.0005  # seconds until a write is tried again while another process is writing


class Waiter(Protocol):
    """Who waits for an entry: told when it is written, and then whether it is durable. Raises nothing."""

    def written(self, entry: Entry) -> None:
        """It has its place, and may still be lost: for what can be got ready while the disk is at work."""

    def durable(self) -> None:
        """It stays."""

    def failed(self, fault: Exception) -> None:
        """It is not in the ledger, or nobody knows."""


_Waiting = list[tuple[Act, Waiter]]


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

    async def record(self, verb: str, thing: str, *, by: Actor, details: Mapping[str, Any]) -> Entry:
        """Append one entry and wait until it is durable. Raises Broken when it is not: then nothing may be answered."""
        waiter = _Future(asyncio.get_running_loop().create_future())
        self.put((verb, thing, by, details), waiter)
        return await waiter.future

    def put(self, act: Act, waiter: Waiter) -> None:
        """Append one entry for somebody who is told. Raises Broken when the writer has stopped."""
        self._require_thread()
        self._waiting.append((act, waiter))
        if not self._writing:
            self._writing = True
            loop = asyncio.get_running_loop()
            loop.call_soon(self._write, loop)  # after the other calls that came with the same turn of the loop

    def require_writable(self) -> None:
        """Raises Broken unless the next entry can be expected to be written: readiness asks this."""
        self._require_thread()
        if self._fault:
            raise Broken("group-commit.last-write-to-ledger-failed", why=Text.verbatim(self._fault))
        place = self._ledger.path if self._ledger.path.exists() else self._ledger.path.parent
        if not os.access(place, os.W_OK):
            raise Broken("group-commit.ledger-cannot-be-written")

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
            raise Broken("group-commit.ledger-writer-stopped")

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
            self._deliver(loop, batch, fault)
        else:
            self._syncs.put(partial(_on, loop, self._deliver, batch))
            for (_, waiter), entry in zip(batch, entries, strict=True):
                waiter.written(entry)

    def _deliver(self, loop: asyncio.AbstractEventLoop, batch: _Waiting, fault: Exception | None) -> None:
        """The answers of this write; then the next one, once whoever asks in this turn of the loop has joined it."""
        self._fault = type(fault).__name__ if fault else None
        loop.call_soon(self._write, loop)
        for _, waiter in batch:
            waiter.durable() if fault is None else waiter.failed(fault)

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


class _Future:
    """A waiter that is awaited."""

    def __init__(self, future: asyncio.Future[Entry]) -> None:
        self.future = future

    def written(self, entry: Entry) -> None:
        self._entry = entry

    def durable(self) -> None:
        if not self.future.cancelled():  # a client that hung up does not take back what happened
            self.future.set_result(self._entry)

    def failed(self, fault: Exception) -> None:
        if not self.future.cancelled():
            broken = Broken("group-commit.ledger-could-not-be-written", why=Text.verbatim(type(fault).__name__))
            broken.__cause__ = fault
            self.future.set_exception(broken)


def _on(
    loop: asyncio.AbstractEventLoop, deliver: Callable[..., object], batch: _Waiting, fault: Exception | None
) -> None:
    """Hand the outcome to the event loop, unless it is gone: then nobody waits any more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(deliver, loop, batch, fault)
