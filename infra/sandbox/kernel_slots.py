"""The slots of a workspace's kernels (内核名额): so many run at once, and a further one waits until one of them ends.

They are given in the order of the requests. A kernel that is restarted keeps its slot meanwhile: else the person who
restarts one would wait for another.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from credit.errors import Refused
from infra.sandbox.notices import Notices

WAIT = 600.0  # seconds after which a request that waits is refused
KEEP = 30.0  # seconds for which the slot of a kernel that is restarted stays its own


@dataclass(slots=True)
class KernelSlots:
    """``most`` slots, taken by the id of a kernel, from one event loop. The person's notices say when all are taken,
    and when a request waits.
    """

    most: int
    notices: Notices
    wait: float = WAIT
    keep: float = KEEP
    _occupied: set[str] = field(default_factory=set)
    _waiting: deque[tuple[str, asyncio.Future[None]]] = field(default_factory=deque)
    _restarts: dict[str, asyncio.TimerHandle | None] = field(default_factory=dict)  # with the end of keeping its slot

    @property
    def are_occupied(self) -> bool:
        """True when a further request would wait."""
        return len(self._occupied) >= self.most

    async def take(self, kernel: str) -> None:
        """Take a slot, at once or as soon as one is free; raises :class:`Refused` when none is for ``wait`` seconds."""
        if kernel in self._occupied:  # it was kept for its restart
            self._forget_restart(kernel)
        elif not self.are_occupied:
            self._occupied.add(kernel)
            self._write_notices()
        else:
            await self._wait_for(kernel)

    async def take_before(self, end: Coroutine[Any, Any, object], kernel: str) -> bool:
        """Take a slot as :meth:`take` does, unless ``end`` comes first; True when it was taken."""
        slot, ended = asyncio.create_task(self.take(kernel)), asyncio.create_task(end)
        try:
            await asyncio.wait({slot, ended}, return_when=asyncio.FIRST_COMPLETED)
            if slot.done():
                slot.result()
            return slot.done()
        finally:
            ended.cancel()
            slot.cancel()

    def free(self, kernel: str) -> None:
        """Free the slot of a kernel that has ended; if it is to be started again, only when it was not for ``keep``
        seconds.
        """
        if kernel in self._restarts:
            self._forget_restart(kernel)
            self._restarts[kernel] = asyncio.get_running_loop().call_later(self.keep, self._give_on, kernel)
        else:
            self._give_on(kernel)

    def keep_for_restart(self, kernel: str) -> None:
        """Note that a kernel is about to end in order to be started again."""
        if kernel in self._occupied:
            self._restarts.setdefault(kernel, None)

    async def _wait_for(self, kernel: str) -> None:
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((kernel, given))
        self._write_notices()
        try:
            await asyncio.wait({given}, timeout=self.wait)
        except asyncio.CancelledError:
            if given.done():
                self._give_on(kernel)
            raise
        finally:
            if not given.done():
                self._waiting.remove((kernel, given))
                self._write_notices()
        if not given.done():
            minutes = max(1, round(self.wait / 60))
            raise Refused("kernels.no-kernel-started-running", kernels=self.most, minutes=minutes)

    def _give_on(self, kernel: str) -> None:
        """Give the slot of a kernel to the first that waits."""
        self._forget_restart(kernel)
        self._occupied.discard(kernel)
        while self._waiting and not self.are_occupied:
            first, given = self._waiting.popleft()
            self._occupied.add(first)
            given.set_result(None)
        self._write_notices()

    def _forget_restart(self, kernel: str) -> None:
        timer = self._restarts.pop(kernel, None)
        if timer:
            timer.cancel()

    def _write_notices(self) -> None:
        self.notices.kernels(
            self.most, all_run=self.are_occupied, waiting=len(self._waiting), minutes=round(self.wait / 60)
        )
