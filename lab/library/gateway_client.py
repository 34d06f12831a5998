"""The client of the gateway, the only service that a kernel can reach: responses are values, refusals are errors."""

from __future__ import annotations

import atexit
import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from credit.errors import Broken, CreditError, Lapsed, Malformed, Missing, Refused, Unauthenticated
from credit.messages import Text, language_here
from lab.library.workspace_data import GATEWAY, gateway_socket

_KINDS: dict[str, type[CreditError]] = {
    kind.slug: kind for kind in (Malformed, Refused, Unauthenticated, Lapsed, Missing, Broken)
}
SECONDS = 60.0
SILENT = 150.0  # seconds without a line; the gateway ends a stream before
_NO_TLS = ssl.SSLContext(
    ssl.PROTOCOL_TLS_CLIENT
)  # a socket needs no TLS, and loading the trusted certificates takes 40 ms


def get(path: str, **params: str) -> Any:
    """The value at a path; raises the error in the gateway's response."""
    return _value(_client().get(path, params=params) if params else _client().get(path))


def post(path: str, data: Any = None) -> Any:
    """Send a JSON value; raises the error in the gateway's response."""
    return _value(_client().post(path, json=data))


def send_files(path: str, files: Mapping[str, bytes], **texts: str) -> Any:
    """Send files and texts as one form; raises the error in the gateway's response."""
    parts: Sequence[tuple[str, Any]] = [("files", (name, content)) for name, content in files.items()]
    return _value(_client().post(path, files=parts, data=texts, timeout=300))


def lines(path: str) -> Iterator[Any]:
    """The values of a stream of JSON lines, as they arrive; what waits in a queue may be silent until its end."""
    with _client().stream("GET", path, timeout=httpx.Timeout(SECONDS, read=SILENT)) as answer:
        if answer.status_code != 200:
            answer.read()
            _value(answer)
        for line in answer.iter_lines():
            if line:
                yield _checked(json.loads(line))


class _Transport(httpx.HTTPTransport):
    """Raises :class:`~credit.errors.Missing` when no gateway listens at the socket."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises :class:`~credit.errors.Missing` for a missing socket and a timeout."""
        if not gateway_socket().is_socket():
            raise _unreachable()
        try:
            return super().handle_request(request)
        except httpx.TimeoutException as error:
            raise Missing("gateway-client.lab-gateway-does-not-answer-try-again-in") from error
        except httpx.TransportError as error:
            raise _unreachable() from error


def _unreachable() -> Missing:
    return Missing("gateway-client.lab-gateway-does-not-answer", name=gateway_socket().name, gateway=GATEWAY)


def close() -> None:
    """Close the connection; the next call opens another."""
    while _kept:
        _kept.popitem()[1].close()


_kept: dict[str, httpx.Client] = {}
atexit.register(close)


def _client() -> httpx.Client:
    path = str(gateway_socket())
    if path not in _kept:
        close()
        _kept[path] = httpx.Client(
            transport=_Transport(uds=path, verify=_NO_TLS),
            base_url="http://gateway",
            headers={"Accept-Language": language_here()},
            timeout=SECONDS,
        )
    return _kept[path]


def _value(answer: httpx.Response) -> Any:
    if answer.headers.get("content-type", "").startswith(("application/json", "application/problem+json")):
        return _checked(answer.json())
    raise Broken("gateway-client.lab-gateway-answered-something-else", why=Text.verbatim(str(answer.status_code)))


def _checked(data: Any) -> Any:
    """The value; raises the error that a problem document (RFC 9457) describes."""
    if isinstance(data, dict) and str(data.get("type", "")).startswith(("urn:haihe:problem:", "about:blank")):
        slug = data["type"].rpartition(":")[2]
        kind = _KINDS.get(slug, Malformed if data.get("status", 500) < 500 else CreditError)
        what, why, remedy = (Text.verbatim(str(data.get(key, ""))) for key in ("title", "detail", "remedy"))
        if issubclass(kind, Refused):
            raise kind(what, why=why, remedy=remedy, findings=data.get("findings", ()))
        raise kind(what, why=why, remedy=remedy)
    return data
