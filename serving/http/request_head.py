"""The head of a request: which header lines decide anything, and which requests are refused for their framing alone.

The server (uvicorn with httptools) has parsed the bytes. It adds the trailers of a chunked body to the headers, and
takes the body of a request with `Upgrade` for a second request; neither can be recognised afterwards. So a request with
either is refused whole, by the header that it cannot do without. A proxy in front of the service sends neither.
"""

from __future__ import annotations

from credit.errors import Malformed
from credit.messages import Text
from serving.asgi import Headers, Message


class Misframed(Malformed):
    """The framing of the request is none that this service takes (HTTP 400)."""

    status, slug = 400, "misframed"


class LengthRequired(Misframed):
    """The body has no stated length (HTTP 411)."""

    status, slug = 411, "length-required"


class RequestHead:
    """The header lines of one request. A line is read by its name, and only when it is there once."""

    __slots__ = ("_repeated", "_values")

    def __init__(self, headers: Headers) -> None:
        """`headers` are lower-case names and values, as the server parsed them."""
        self._values = dict(headers)
        self._repeated: frozenset[bytes] = frozenset()
        if len(self._values) != len(headers):
            names = [name for name, _ in headers]
            self._repeated = frozenset(name for name in self._values if names.count(name) > 1)

    def one(self, name: bytes) -> bytes | None:
        """The value of a header line, or None. Raises Malformed when it was sent twice: a proxy may have read the
        other one.
        """
        if self._repeated and name in self._repeated:
            raise Malformed("endpoint.header-stands-twice", why=Text.verbatim(name.decode("latin-1")))
        return self._values.get(name)

    def text(self, name: bytes) -> str:
        """The value of a header line as text, empty when there is none. Raises Malformed when it was sent twice."""
        value = self.one(name)
        return "" if value is None else value.decode("latin-1")

    def line(self, name: bytes) -> bytes | None:
        """The last value of a header line that decides nothing here: the server has judged it, or it is a wish."""
        return self._values.get(name)

    @property
    def accepted_languages(self) -> str:
        """The header Accept-Language; empty when there is none."""
        return self._values.get(b"accept-language", b"").decode("latin-1")

    def require_framing(self) -> None:
        """Raise Misframed for a body in chunks, an `Upgrade`, or a Host that is missing or was sent twice."""
        values = self._values
        if b"transfer-encoding" in values:
            raise LengthRequired("request-head.chunked")
        if b"upgrade" in values:
            raise Misframed("request-head.upgrade")
        if not values.get(b"host") or b"host" in self._repeated:
            raise Misframed("request-head.host")


def head_of(scope: Message) -> RequestHead:
    """The head of the request that an application was called with."""
    return RequestHead(scope["headers"])
