"""A gang: parts of one work done at the same time by members who know each other's addresses.

Tasks stand alone and may run one after another; the members of a gang wait for each other, so either all of them run or
none does. Here they are threads (LightGBM keeps its network by thread); on a cluster they are tasks, see
:mod:`models.distributed.ray_worker_group`. What a gang gives depends on the number of its members and not on where
they are.
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
    """What a member knows of its gang: the addresses of all, in order, and its own place among them."""

    addresses: tuple[tuple[str, int], ...]
    rank: int


class WorkerGroup(Protocol):
    """Something that can run members at the same time."""

    def run_together(self, fn: Callable[[Peers, Any, Any], Any], shared: Any, parts: Sequence[Any]) -> list[Any]:
        """``[fn(peers, shared, part) for part in parts]``, all at the same time, each by a member of its own."""


class ThreadWorkerGroup:
    """Members as threads of this process. A member that fails is waited for until the others give it up."""

    def run_together(self, fn: Callable[[Peers, Any, Any], Any], shared: Any, parts: Sequence[Any]) -> list[Any]:
        """As :class:`WorkerGroup` says."""
        addresses = tuple((HERE, port) for port in free_ports(len(parts)))
        with ThreadPoolExecutor(len(parts)) as pool:
            members = [pool.submit(fn, Peers(addresses, rank), shared, part) for rank, part in enumerate(parts)]
            return [member.result() for member in members]


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens at this moment, none twice."""
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("", 0))
        return [int(listener.getsockname()[1]) for listener in sockets]
