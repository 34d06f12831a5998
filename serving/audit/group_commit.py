"""Writes the entry of each request to the ledger before its answer is sent; waiting entries share one durable write."""

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
from serving.audit.journal import HEAD_SECONDS, Journal, JournalBusy

MOST = 256  # entries in one write: limits how long the first of them waits
RETRY_SECONDS = 0.0005  # until a write is tried again while another process is writing


class EntryWaiter(Protocol):
    """Waits for an entry: it is notified when the entry is written, and again when it is durable. Raises nothing."""

    def written(self, entry: Entry) -> None:
        """The entry has its place but may still be lost: prepare whatever can be prepared during the disk's write."""

    def durable(self) -> None:
        """The entry is on the disk."""

    def failed(self, fault: Exception) -> None:
        """The entry is not in the ledger, or it is unknown whether it is."""


_Pending = list[tuple[Act, EntryWaiter]]


class GroupCommitWriter:
    """Group commit for a ledger: while one write is being made durable, the entries of the next one are collected.

    The event loop writes. A thread does nothing but wait for the disk, without the interpreter's lock: so a hundred
    answers cost one switch to the thread and one back, and two threads never compete for the interpreter.
    """

    def __init__(self, ledger: Journal) -> None:
        """Start the thread that waits for the disk."""
        self._ledger = ledger
        self._syncs: queue.SimpleQueue[Callable[[Exception | None], object] | None] = queue.SimpleQueue()
        self._pending: _Pending = []
        self._writing = False  # whether a write is under way or planned
        self._head: asyncio.TimerHandle | None = None
        self._fault: str | None = None
        self._thread = threading.Thread(target=self._sync, name="ledger", daemon=True)
        self._thread.start()

    async def record(self, verb: str, object_: str, *, by: Actor, details: Mapping[str, Any]) -> Entry:
        """Append one entry and wait until it is durable. Raises Broken when it is not: then no answer may be sent."""
        waiter = _FutureWaiter(asyncio.get_running_loop().create_future())
        self.put((verb, object_, by, details), waiter)
        return await waiter.future

    def put(self, act: Act, waiter: EntryWaiter) -> None:
        """Append one entry and notify the waiter. Raises Broken when the writer has stopped."""
        self._require_thread()
        self._pending.append((act, waiter))
        if not self._writing:
            self._writing = True
            loop = asyncio.get_running_loop()
            loop.call_soon(self._write, loop)  # after the other requests of the same iteration of the loop

    def require_writable(self) -> None:
        """Raise Broken unless the next entry can be expected to be written; readiness checks this."""
        self._require_thread()
        if self._fault:
            raise Broken("group-commit.last-write-to-ledger-failed", why=Text.verbatim(self._fault))
        place = self._ledger.path if self._ledger.path.exists() else self._ledger.path.parent
        if not os.access(place, os.W_OK):
            raise Broken("group-commit.ledger-cannot-be-written")

    def close(self) -> None:
        """Write the pending entries, then stop the thread."""
        batch, self._pending = self._pending, []
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
        """Write the pending entries; the thread makes them durable."""
        batch, self._pending = self._pending[:MOST], self._pending[MOST:]
        if not batch:
            self._writing = False
            if self._head is None:
                self._head = loop.call_later(HEAD_SECONDS, self._settle, loop)
            return
        try:
            entries = self._ledger.write([act for act, _ in batch], wait=False)
        except JournalBusy:
            self._pending = batch + self._pending
            loop.call_later(RETRY_SECONDS, self._write, loop)
        except Exception as fault:  # each waiter gets it, readiness shows it, and the next write is tried all the same
            self._deliver(loop, batch, fault)
        else:
            self._syncs.put(partial(_deliver_from_thread, loop, self._deliver, batch))
            for (_, waiter), entry in zip(batch, entries, strict=True):
                waiter.written(entry)

    def _deliver(self, loop: asyncio.AbstractEventLoop, batch: _Pending, fault: Exception | None) -> None:
        """Notify the waiters of this write; the next one begins after the requests of this iteration have joined it."""
        self._fault = type(fault).__name__ if fault else None
        loop.call_soon(self._write, loop)
        for _, waiter in batch:
            waiter.durable() if fault is None else waiter.failed(fault)

    def _settle(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write the head of the ledger during a pause."""
        self._head = None
        if self._writing:
            return
        try:
            if not self._ledger.settle():
                self._head = loop.call_later(RETRY_SECONDS, self._settle, loop)
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


class _FutureWaiter:
    """A waiter that a coroutine awaits."""

    def __init__(self, future: asyncio.Future[Entry]) -> None:
        self.future = future

    def written(self, entry: Entry) -> None:
        self._entry = entry

    def durable(self) -> None:
        if not self.future.cancelled():  # a client that closed its connection does not undo what happened
            self.future.set_result(self._entry)

    def failed(self, fault: Exception) -> None:
        if not self.future.cancelled():
            broken = Broken("group-commit.ledger-could-not-be-written", why=Text.verbatim(type(fault).__name__))
            broken.__cause__ = fault
            self.future.set_exception(broken)


def _deliver_from_thread(
    loop: asyncio.AbstractEventLoop, deliver: Callable[..., object], batch: _Pending, fault: Exception | None
) -> None:
    """Pass the outcome to the event loop, unless it is closed: then nothing waits any more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(deliver, loop, batch, fault)
