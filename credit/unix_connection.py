"""HTTP over a unix socket, for the few processes of a machine that ask each other something."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path


class UnixConnection(http.client.HTTPConnection):
    """A connection to the socket at a path. ``host`` is only a name in the request; a wait has ``seconds``."""

    def __init__(self, path: Path | str, host: str, seconds: float) -> None:
        super().__init__(host, timeout=seconds)
        self._path = str(path)

    def connect(self) -> None:
        """Connect; raises :class:`OSError`."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)

    def answer(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        """Send one request and close; the status and the body of the answer.

        Raises :class:`OSError` and :class:`http.client.HTTPException`.
        """
        try:
            self.request(method, path, body, headers)
            response = self.getresponse()
            return response.status, response.read()
        finally:
            self.close()
