"""What the proxy in front of the service says about a client: its address and its certificate.

Only the proxy is believed. Its lines are taken from a request that came from one of the addresses in the settings, or
over the service's own socket; from any other request they are removed before anything reads them.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from cryptography import x509

from credit.errors import Malformed
from serving.asgi import App, Message, Receive, Send
from serving.auth.clients import Network, is_within

FORWARDED_FOR, CERTIFICATE = b"x-forwarded-for", b"x-client-certificate"
PRESENTED = "haihe.certificate"  # in the scope: the certificate that the client presented
_LINES = frozenset({FORWARDED_FOR, CERTIFICATE, b"x-forwarded-proto", b"x-forwarded-host", b"forwarded"})
_OPEN_PATHS = frozenset({"/live", "/ready", "/metrics"})  # for probes beside the proxy


class PresentedCertificate(NamedTuple):
    """A client certificate that the proxy verified: its thumbprint (RFC 8705 §3.1, base64url of SHA-256), and its
    subject with its issuer (`certificate_name`). Both are empty when there is none."""

    thumbprint: str = ""
    subject: str = ""


class Forwarded:
    """An application behind a proxy."""

    def __init__(self, app: App, proxies: str, *, has_socket: bool) -> None:
        """`proxies` are addresses or networks, separated by commas. Raises Malformed for another text."""
        self._app, self._proxies, self._has_socket = app, networks(proxies), has_socket

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass one request on, as one of the client's."""
        if scope["type"] == "http":
            scope = self._of_client(scope)
            if scope["client"] is None and scope["path"] not in _OPEN_PATHS:
                await _refuse(send)
                return
        await self._app(scope, receive, send)

    def _of_client(self, scope: Message) -> Message:
        peer = scope["client"][0] if scope.get("client") else ""
        is_proxy = self._has_socket if not peer else bool(self._proxies) and is_within(peer, self._proxies)
        lines = [(name, value) for name, value in scope["headers"] if name in _LINES]
        others = [(name, value) for name, value in scope["headers"] if name not in _LINES]
        address = [value for name, value in lines if name == FORWARDED_FOR]
        scope = {**scope, "headers": others, "client": None}
        if is_proxy and len(address) == 1 and is_address(address[0].decode("latin-1")):
            scope["client"] = (address[0].decode("latin-1"), 0)
            certificates = [value for name, value in lines if name == CERTIFICATE and value]
            if len(certificates) == 1:
                presented = read_certificate(certificates[0].decode("latin-1"))
                # Any program of a machine can connect to a port from its address; a socket file has permissions. So
                # over a port a certificate only restricts (a token bound to it), and proves no client.
                scope[PRESENTED] = presented._replace(subject="") if peer else presented
        return scope


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a list that is separated by commas. Raises Malformed."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as bad:
        raise Malformed("settings.not-proxies") from bad


def is_address(text: str) -> bool:
    """Whether this is one address, as the shipped proxy sends it: never a list, which a client could have begun."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(1024)
def read_certificate(escaped: str) -> PresentedCertificate:
    """A certificate in PEM, as nginx escapes it."""
    lines = unquote(escaped).strip().splitlines()
    try:
        raw = base64.b64decode("".join(lines[1:-1]), validate=True)
        subject = certificate_name(x509.load_der_x509_certificate(raw))
    except (ValueError, x509.InvalidVersion):
        return PresentedCertificate()
    return PresentedCertificate(base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode(), subject)


def certificate_name(certificate: x509.Certificate) -> str:
    """What a client's certificate is registered by: subject and issuer (RFC 4514), one a line; empty without a subject.

    A proxy may know several authorities, of which each could issue a certificate with another bank's subject.
    """
    names = [each.rfc4514_string().replace("\n", "\\0A") for each in (certificate.subject, certificate.issuer)]
    return "\n".join(names) if names[0] else ""


async def _refuse(send: Send) -> None:
    """Answer a request that did not come through the proxy."""
    body = b'{"type":"about:blank","title":"Requests come through the proxy","status":403}'
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body)),
               (b"connection", b"close")]  # fmt: skip
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
