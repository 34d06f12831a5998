"""Heads that a connection has sent before and that were parsed then: the same bytes need not be parsed again.

Only these may differ in the next request: its length, its idempotency key, and the numbers that a client's software
gives its requests, such as a trace or a request id. None of them identifies the client or the product.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from serving.auth.tokens import RequestCredentials
from serving.http.endpoint import credentials_of

_LINE = re.compile(rb"\r\n([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*)(?=\r\n)")
_LENGTH, _WORDS = re.compile(rb"[0-9]{1,7}(?=\r\n)"), re.compile(rb"[ -~]{0,512}(?=\r\n)")
VARIES: Mapping[bytes, re.Pattern[bytes]] = {
    b"content-length": _LENGTH,
    b"idempotency-key": re.compile(rb"[!-~]{1,128}(?=\r\n)"),
    **dict.fromkeys((b"traceparent", b"tracestate", b"x-request-id", b"x-correlation-id", b"date"), _WORDS),
}
_VARYING = re.compile(rb"\r\n(traceparent|tracestate|idempotency-key):[ \t]*([^\r\n]*)(?=\r\n)", re.IGNORECASE)
_ORDINARY = frozenset((b"dpop", b"expect", b"transfer-encoding", b"upgrade"))


@dataclass(frozen=True, slots=True)
class KnownHead:
    """The fixed bytes of a head, the patterns of what varies between them, and the credentials of its requests."""

    fixed: tuple[bytes, ...]
    between: tuple[re.Pattern[bytes], ...]  # one fewer than `fixed`
    credentials: RequestCredentials
    keyed: bool  # whether there is an idempotency key

    @classmethod
    def of(cls, data: bytes, scope: Any, persistent: bool, paths: Container[str]) -> KnownHead | None:
        """The head at the beginning of `data`, as it was parsed; None unless it is a plain POST to one of `paths`."""
        end = data.find(b"\r\n\r\n") + 4
        if not persistent or scope["method"] != "POST" or scope["path"] not in paths or end < 4:
            return None
        headers, lines = dict(scope["headers"]), list(_LINE.finditer(data, 0, end))
        once = len(headers) == len(scope["headers"]) == len(lines) and b"content-length" in headers
        if not once or headers.keys() & _ORDINARY or headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
            return None
        at, fixed, between = 0, [], []
        for line in lines:
            kind = VARIES.get(line[1].lower())
            if kind is not None:
                fixed.append(data[at : line.start(2)])
                between.append(kind)
                at = line.end(2)
        head = cls(
            (*fixed, data[at:end]), tuple(between), credentials_of(scope, headers), b"idempotency-key" in headers
        )
        return head if head.body(data) is not None else None

    def body(self, data: bytes) -> tuple[int, int] | None:
        """Begin and end of the body when `data` begins with this head; the body may not have arrived yet."""
        at = size = 0
        for fixed, between in zip(self.fixed, self.between, strict=False):
            if not data.startswith(fixed, at):
                return None
            match = between.match(data, at + len(fixed))
            if match is None:
                return None
            at = match.end()
            if between is _LENGTH:
                size = int(match[0])
        if not data.startswith(self.fixed[-1], at):
            return None
        at += len(self.fixed[-1])
        return at, at + size


def varying_headers(head: bytes) -> dict[str, str]:
    """The idempotency key and the trace (W3C Trace Context) of a head, by lower-case name."""
    return {name.decode().lower(): value.decode("latin-1") for name, value in _VARYING.findall(head)}
