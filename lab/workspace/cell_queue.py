"""The cells of one kernel, passed one at a time, so that the machine knows which one runs when something is read.

A kernel would take them all and run one after another; only its own messages would then say which. After an error the
cells that wait are not run, as a kernel does it (``stop_on_error``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WaitingCell:
    """A cell that was received. ``pass_on`` records it and passes it to the kernel; False when it did not."""

    message: str
    stop_on_error: bool
    pass_on: Callable[[], bool]
    abort: Callable[[], None]  # tells the browser that it is not run
    ended: Callable[[], None]  # called once, when the kernel says that it has ended


@dataclass(slots=True)
class CellQueue:
    """The cells of a kernel that wait, and the one that was passed to it and has not ended."""

    _waiting: deque[WaitingCell] = field(default_factory=deque)
    _running: WaitingCell | None = None
    _failed: bool = False

    def add(self, cell: WaitingCell) -> None:
        """Pass the cell on, now or when those before it have ended."""
        self._waiting.append(cell)
        self._next()

    def failed(self, message: str) -> None:
        """The kernel reports an error of the cell with this message."""
        if self._running and self._running.message == message:
            self._failed = True

    def ended(self, message: str) -> None:
        """The kernel reports that the cell with this message has ended; said twice, it changes nothing."""
        if self._running is None or self._running.message != message:
            return
        cell, failed = self._running, self._failed
        self._running, self._failed = None, False
        cell.ended()
        if failed and cell.stop_on_error:
            aborted = list(self._waiting)
            self._waiting.clear()
            for each in aborted:
                each.abort()
        self._next()

    def _next(self) -> None:
        while self._running is None and self._waiting:
            cell = self._waiting.popleft()
            self._running = cell  # before it is passed: its end may be reported at once
            if not cell.pass_on() and self._running is cell:
                self._running = None


_QUEUES: dict[str, CellQueue] = {}


def queue_of(kernel: str) -> CellQueue:
    """The queue of a kernel, whichever connection asks."""
    return _QUEUES.setdefault(kernel, CellQueue())


def forget_cells(kernel: str) -> None:
    """Forget the cells of a kernel: it starts, and those of the former process are gone."""
    _QUEUES.pop(kernel, None)
