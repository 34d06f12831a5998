"""A head that its connection sent before, and need not be parsed again: it has been read, to the byte.

What may be other in the next one is its length, its idempotency key, and what a caller's own machinery numbers its
requests with: a trace, a request's id. None of them says who asks, or for what.
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
_TOLD = re.compile(rb"\r\n(traceparent|tracestate|idempotency-key):[ \t]*([^\r\n]*)(?=\r\n)", re.IGNORECASE)
_ORDINARY = frozenset((b"dpop", b"expect", b"transfer-encoding", b"upgrade"))


@dataclass(frozen=True, slots=True)
class KnownHead:
    """What stands to the byte, what comes between, and what all of it says."""

    fixed: tuple[bytes, ...]
    between: tuple[re.Pattern[bytes], ...]  # one fewer
    credentials: RequestCredentials
    keyed: bool  # an idempotency key is among what varies

    @classmethod
    def of(cls, data: bytes, scope: Any, keep_alive: bool, paths: Container[str]) -> KnownHead | None:
        """The head that `data` begins with, as it was parsed; None unless it asks for an answer, of `paths`, alone."""
        end = data.find(b"\r\n\r\n") + 4
        if not keep_alive or scope["method"] != "POST" or scope["path"] not in paths or end < 4:
            return None
        told, lines = dict(scope["headers"]), list(_LINE.finditer(data, 0, end))
        once = len(told) == len(scope["headers"]) == len(lines) and b"content-length" in told
        if not once or told.keys() & _ORDINARY or told.get(b"connection", b"keep-alive").lower() != b"keep-alive":
            return None
        at, fixed, between = 0, [], []
        for line in lines:
            kind = VARIES.get(line[1].lower())
            if kind is not None:
                fixed.append(data[at : line.start(2)])
                between.append(kind)
                at = line.end(2)
        head = cls((*fixed, data[at:end]), tuple(between), credentials_of(scope, told), b"idempotency-key" in told)
        return head if head.body(data) is not None else None

    def body(self, data: bytes) -> tuple[int, int] | None:
        """Where the body begins and ends when `data` begins with this head; it may not be there yet."""
        at = size = 0
        for fixed, between in zip(self.fixed, self.between, strict=False):
            if not data.startswith(fixed, at):
                return None
            found = between.match(data, at + len(fixed))
            if found is None:
                return None
            at = found.end()
            if between is _LENGTH:
                size = int(found[0])
        if not data.startswith(self.fixed[-1], at):
            return None
        at += len(self.fixed[-1])
        return at, at + size


def varying_headers(head: bytes) -> dict[str, str]:
    """Of a head the idempotency key and the trace (W3C Trace Context)."""
    return {name.decode().lower(): value.decode("latin-1") for name, value in _TOLD.findall(head)}
