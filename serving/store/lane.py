"""A thread that does the acts of an event loop: all that wait at one moment, in one transaction."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from serving.store.transaction import Act, StoreUnavailable

MOST = 256  # acts in one transaction
_Outcome = tuple[Any, Exception | None]
Work = Callable[[list[Act[Any]], bool], list[Any]]


class _Waiting(NamedTuple):
    """An act, whether it must survive a power cut, and the future of who waits for it."""

    act: Act[Any]
    durable: bool
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class Lane:
    """One thread and the acts that wait for it. It ends with the process, or when it is closed."""

    def __init__(self, name: str, work: Work) -> None:
        """The thread starts with the first act; `work` runs acts as `Engine.transact` does."""
        self._name, self._work = name, work
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def put(self, act: Act[Any], *, durable: bool) -> asyncio.Future[Any]:
        """A future of the running event loop for the value of an act."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if self._thread is None:
            self._start()
        self._waiting.put(_Waiting(act, durable, future, loop))
        return future

    def close(self) -> None:
        """Do what waits, then end the thread."""
        with self._starting:
            if self._thread is not None:
                self._waiting.put(None)
                self._thread.join(timeout=30)
                self._thread = None

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._next()
            if batch:
                outcomes = self._outcomes([each.act for each in batch], any(each.durable for each in batch))
                _deliver(batch, outcomes)

    def _next(self) -> tuple[list[_Waiting], bool]:
        """All acts that wait now, one at least, and whether more may come."""
        batch: list[_Waiting] = []
        one = self._waiting.get()
        while one is not None:
            batch.append(one)
            if len(batch) == MOST:
                return batch, True
            try:
                one = self._waiting.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _outcomes(self, acts: list[Act[Any]], durable: bool) -> list[_Outcome]:
        """Each act's value or failure. One that raises is no other act's failure: then each has its own transaction."""
        try:
            return [(value, None) for value in self._work(acts, durable)]
        except StoreUnavailable as fault:
            return [(None, fault)] * len(acts)
        except Exception as fault:
            if len(acts) == 1:
                return [(None, fault)]
            return [outcome for act in acts for outcome in self._outcomes([act], durable)]


def _deliver(batch: list[_Waiting], outcomes: list[_Outcome]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], _Outcome]]] = {}
    for waiting, outcome in zip(batch, outcomes, strict=True):
        by_loop.setdefault(waiting.loop, []).append((waiting.future, outcome))
    for loop, results in by_loop.items():
        try:
            loop.call_soon_threadsafe(_set, results)
        except RuntimeError:  # the loop is closed: nothing waits any more
            continue


def _set(results: list[tuple[asyncio.Future[Any], _Outcome]]) -> None:
    for future, (value, fault) in results:
        if future.done():  # the request was given up
            continue
        if fault is not None:
            future.set_exception(fault)
        else:
            future.set_result(value)
