"""The sockets that the service listens on: a Unix socket for a proxy beside it, or an address of the network."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from serving.observability import log
from serving.settings import ServiceSettings

BACKLOG, MODE = 1024, 0o660  # the group of a Unix socket is that of the proxy


def listen(settings: ServiceSettings) -> socket.socket:
    """One listening socket. Raises OSError when the address is in use."""
    place = str(settings.socket) if settings.socket is not None else f"{settings.host}:{settings.port}"
    log.event("listening", place=place, proxies=settings.proxies or "none")
    return _unix(settings.socket) if settings.socket is not None else _network(settings.host, settings.port)


def listening_sockets(settings: ServiceSettings, count: int) -> list[socket.socket]:
    """One socket for each of `count` workers: the kernel spreads the connections of an address over them.

    A Unix socket has one queue, from which every worker takes.
    """
    if settings.socket is not None:
        one = listen(settings)
        return [one, *(one.dup() for _ in range(count - 1))]
    return [listen(settings) for _ in range(count)]


def _unix(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        path.unlink()  # of a service that was killed
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.bind(str(path))
    path.chmod(MODE)
    made.listen(BACKLOG)
    return made


def _network(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((host, port))
    made.listen(BACKLOG)
    return made
