"""The loopback listener (RFC 8252 §7.3): takes the code that the hub sends the browser back with, once.

It listens at 127.0.0.1 alone. A request for another path, from another host name or with another ``state`` is refused
and changes nothing: the wait for the right one goes on until its deadline.
"""

from __future__ import annotations

import hmac
import socket
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from credit.errors import Refused, Unauthenticated
from credit.messages import Text, preferred
from infra.hub.cli_service import PATH

REQUEST_SECONDS = 5.0  # the longest that one request may take
_PAGE = (
    "<!doctype html><html lang='{language}'><meta charset='utf-8'><title>haihe</title>"
    "<body style='font-family: system-ui; text-align: center; margin-top: 15vh'><p>{text}</p></body></html>"
)


class Loopback:
    """A listener at a port for one login with ``state``; a context manager.

    Raises :class:`Refused` when the port is taken.
    """

    def __init__(self, port: int, state: str) -> None:
        self._state, self._port = state, port
        self._answer: dict[str, str] = {}
        try:
            self._server = _Server(("127.0.0.1", port), self)
        except OSError as error:
            raise Refused("loopback.port-taken", port=port) from error

    def __enter__(self) -> Loopback:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def code(self, seconds: float) -> str:
        """The code. Raises :class:`Unauthenticated` when none came in time, or when the user refused at the hub."""
        limit = time.monotonic() + seconds
        while not self._answer:
            self._server.timeout = limit - time.monotonic()
            if self._server.timeout <= 0:
                raise Unauthenticated("loopback.no-code-in-time", seconds=seconds)
            self._server.handle_request()
        if "code" not in self._answer:
            raise Unauthenticated("loopback.refused-at-the-hub")
        return self._answer["code"]

    def accept(self, path: str, host: str) -> bool:
        """Take the code of a request; False, without any effect, for a request that is not the hub's answer."""
        parts = urlsplit(path)
        values = parse_qs(parts.query)
        given = {name: values[name][0] for name in ("code", "state", "error") if len(values.get(name, ())) == 1}
        right = parts.path == PATH and host == f"127.0.0.1:{self._port}"
        if not right or not hmac.compare_digest(given.get("state", "").encode(), self._state.encode()):
            return False
        if not self._answer and ("code" in given or "error" in given):
            self._answer = {"code": given["code"]} if "code" in given else {"error": given["error"]}
            return True
        return False


class _Server(HTTPServer):
    def __init__(self, address: tuple[str, int], loopback: Loopback) -> None:
        self.loopback = loopback
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    timeout = REQUEST_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Answer the browser in its language; refuse everything else in the same words."""
        accepted = self.server.loopback.accept(self.path, self.headers.get("Host", ""))
        language = preferred(self.headers.get("Accept-Language", ""))
        text = Text.of("loopback.close-this-page") if accepted else Text.of("loopback.not-this-login")
        body = _PAGE.format(language=language, text=text.render(language)).encode()
        self.send_response(200 if accepted else 400)
        for name, value in {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "Connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: Any) -> None:
        """Write nothing: the address holds the code."""

    def setup(self) -> None:
        """Give each connection its deadline."""
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
