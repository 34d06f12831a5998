"""Writes the entry of each request to the ledger before its answer is sent; waiting entries share one durable write."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from credit.actor import Actor
from credit.errors import Broken, CreditError
from credit.ledger.entry import Act, Entry
from credit.messages import Text
from serving.audit.journal import HEAD_SECONDS, Journal, JournalBusy
from serving.audit.pending_entry import PendingEntry, unconfirmed_acts

MOST = 256  # entries in one write: limits how long the first of them waits
RETRY_SECONDS = 0.0005  # until a write is tried again while another process is writing
DEADLINE = 30.0  # seconds until an entry is given up that is not durable
MOST_UNCONFIRMED = 65_536  # notes that wait for a disk that can be written again
Value = TypeVar("Value")
_Batch = list[PendingEntry]


class GroupCommitWriter:
    """Group commit for a ledger: while one write is being made durable, the entries of the next one are collected.

    The event loop writes. A thread does nothing but wait for the disk, without the interpreter's lock: so a hundred
    answers cost one switch to the thread and one back, and two threads never compete for the interpreter.

    Each entry has a future of its own, and nothing of one request runs while another one is notified. A request that
    failed may have left its entry in the file all the same: as soon as the ledger can be written again,
    a further entry says so (`entry.unconfirmed`).
    """

    def __init__(self, ledger: Journal) -> None:
        """Start the thread that waits for the disk."""
        self._ledger = ledger
        self._syncs: queue.SimpleQueue[Callable[[Exception | None], object] | None] = queue.SimpleQueue()
        self._pending: _Batch = []
        self._unconfirmed: list[Act] = []
        self._writing = False  # whether a write is under way or planned
        self._head: asyncio.TimerHandle | None = None
        self._fault: str | None = None
        self._stuck = False  # whether the disk has not answered within the deadline
        self._thread = threading.Thread(target=self._sync, name="ledger", daemon=True)
        self._thread.start()

    async def record(self, verb: str, object_: str, *, by: Actor, details: Mapping[str, Any]) -> Entry:
        """Append one entry and wait until it is durable. Raises Broken when it is not: then no answer may be sent."""
        return await self.record_and_make((verb, object_, by, details), _unchanged)

    async def record_and_make(self, act: Act, make: Callable[[Entry], Value]) -> Value:
        """Append one entry, and return what `make` makes of it once it is durable. Raises Broken, and what `make` does.

        `make` runs while the disk writes, when the entry has its place but may still be lost.
        """
        self._require_thread()
        if self._stuck:
            raise Broken("group-commit.ledger-could-not-be-written", why=Text.verbatim(TimeoutError.__name__))
        loop = asyncio.get_running_loop()
        pending: PendingEntry = PendingEntry(act, make, loop.create_future(), loop.time() + DEADLINE)
        self._pending.append(pending)
        self._plan(loop)
        try:
            value: Value = await pending.future
        except CreditError:
            raise
        except (OSError, TimeoutError) as fault:
            raise Broken("group-commit.ledger-could-not-be-written", why=Text.verbatim(type(fault).__name__)) from fault
        return value

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
        acts = [pending.act for pending in batch] + self._unconfirmed
        if acts:
            self._ledger.append_many(acts)
        self._syncs.put(None)
        self._thread.join(timeout=30)
        if self._fault is None:
            self._ledger.settle()

    def _require_thread(self) -> None:
        if not self._thread.is_alive():
            raise Broken("group-commit.ledger-writer-stopped")

    def _plan(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write in the next turn of the loop: after the other requests of this turn."""
        if not self._writing:
            self._writing = True
            loop.call_soon(self._write, loop)

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write the pending entries; the thread makes them durable."""
        batch, self._pending = self._pending[:MOST], self._pending[MOST:]
        notes, self._unconfirmed = self._unconfirmed[:MOST], self._unconfirmed[MOST:]
        if not batch and not notes:
            self._pause(loop)
            return
        try:
            entries = self._ledger.write([pending.act for pending in batch] + notes, wait=False)
        except JournalBusy:
            late = [pending for pending in batch if pending.until <= loop.time()]
            self._pending = [pending for pending in batch if pending.until > loop.time()] + self._pending
            self._unconfirmed = notes + self._unconfirmed
            loop.call_later(RETRY_SECONDS, self._write, loop)
            for pending in late:
                pending.end(TimeoutError())
            return
        except Exception as fault:  # each caller gets it, readiness shows it, and the next write is tried all the same
            self._unconfirmed = notes + self._unconfirmed
            self._deliver(loop, batch, fault)
            return
        late_timer = loop.call_later(DEADLINE, self._give_up, loop, batch)
        self._syncs.put(partial(_deliver_from_thread, loop, self._delivered, loop, batch, late_timer))
        for pending, entry in zip(batch, entries, strict=False):  # the notes have no caller
            pending.prepare(entry)

    def _pause(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write nothing for now; the head follows soon."""
        self._writing = False
        if self._head is None:
            self._head = loop.call_later(HEAD_SECONDS, self._settle, loop)

    def _delivered(
        self, loop: asyncio.AbstractEventLoop, batch: _Batch, late: asyncio.TimerHandle, fault: Exception | None
    ) -> None:
        late.cancel()
        self._stuck = False
        self._deliver(loop, batch, fault)

    def _deliver(self, loop: asyncio.AbstractEventLoop, batch: _Batch, fault: Exception | None) -> None:
        """Notify the callers of this write; the next one begins after the requests of this turn have joined it."""
        self._fault = type(fault).__name__ if fault else None
        self._note(batch if fault else [each for each in batch if each.future.cancelled()], fault)
        if fault is not None and not self._pending:
            self._pause(loop)
        else:
            loop.call_soon(self._write, loop)
        for pending in batch:
            pending.end(fault)

    def _give_up(self, loop: asyncio.AbstractEventLoop, batch: _Batch) -> None:
        """End every wait for a disk that does not answer; further requests are refused until it does."""
        self._fault, self._stuck = TimeoutError.__name__, True
        waiting, self._pending = batch + self._pending, []
        self._note(batch, TimeoutError())
        for pending in waiting:
            pending.end(TimeoutError())

    def _note(self, batch: _Batch, fault: Exception | None) -> None:
        """Remember which entries are in the file although their requests were refused, or have gone."""
        free = max(0, MOST_UNCONFIRMED - len(self._unconfirmed))
        self._unconfirmed += unconfirmed_acts(batch, type(fault or asyncio.CancelledError()).__name__)[:free]

    def note(self, act: Act) -> None:
        """Append an entry that no request waits for, such as that an answer could not be sent. Never raises."""
        if len(self._unconfirmed) < MOST_UNCONFIRMED:
            self._unconfirmed.append(act)
            self._plan(asyncio.get_running_loop())

    def _settle(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write the head of the ledger during a pause, and the notes that a failed write has left."""
        self._head = None
        if self._writing:
            return
        if self._unconfirmed:
            self._plan(loop)
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


def _unchanged(entry: Entry) -> Entry:
    return entry


def _deliver_from_thread(loop: asyncio.AbstractEventLoop, deliver: Callable[..., object], *arguments: object) -> None:
    """Pass the outcome to the event loop, unless it is closed: then nothing waits any more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(deliver, *arguments)
