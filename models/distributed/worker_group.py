"""A worker group: the parts of one job run at the same time by members that know each other's addresses.

Independent tasks may run one after another; the members of a group wait for each other, so either all of them run or
none does. In one process they are threads (LightGBM keeps its network per thread); on a cluster they are tasks, see
:mod:`models.distributed.ray_worker_group`. The result depends on the number of members and not on where they run.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Peers:
    """What a member knows of its group: the addresses of all members, in order, and its own index among them."""

    addresses: tuple[tuple[str, int], ...]
    rank: int


class WorkerGroup(Protocol):
    """Something that runs members at the same time."""

    def run_together(self, fn: Callable[[Peers, Any, Any], Any], shared: Any, parts: Sequence[Any]) -> list[Any]:
        """``[fn(peers, shared, part) for part in parts]``, all at the same time, each by its own member."""


class ThreadWorkerGroup:
    """Members as threads of this process. When one fails, its error is raised after the other members have ended."""

    def run_together(self, fn: Callable[[Peers, Any, Any], Any], shared: Any, parts: Sequence[Any]) -> list[Any]:
        """See :class:`WorkerGroup`."""
        addresses = tuple((HERE, port) for port in free_ports(len(parts)))
        with ThreadPoolExecutor(len(parts)) as pool:
            members = [pool.submit(fn, Peers(addresses, rank), shared, part) for rank, part in enumerate(parts)]
            return [member.result() for member in members]


def free_ports(count: int) -> list[int]:
    """``count`` different ports on which nothing listens at this moment."""
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("", 0))
        return [int(listener.getsockname()[1]) for listener in sockets]
