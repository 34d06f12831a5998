"""The service's own name, which an assertion or a proof must be made for; it comes from the settings alone.

Without HAIHE_SERVICE_ISSUER the service is reachable on this machine alone, and any name of this machine is its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ANY_SERVICE = "haihe-service"  # the audience of assertions for a service without a name of its own
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class OwnName:
    """The address that banks use, such as `https://score.example`; empty on this machine alone."""

    issuer: str = ""

    def is_audience(self, audience: str, path: str) -> bool:
        """Whether an assertion with this audience is meant for us, at the token endpoint with this `path`."""
        if not self.issuer:
            return audience == ANY_SERVICE or self.is_address(audience, path)
        return _same(audience, self.issuer) or self.is_address(audience, path)

    def is_address(self, address: str, path: str) -> bool:
        """Whether an address is ours, with this `path`; query and fragment do not count (RFC 9449 §4.3)."""
        if self.issuer:
            return _same(address, self.issuer.rstrip("/") + path)
        parts = _parts(address)
        return parts is not None and parts[1] in LOOPBACK and parts[3] == path


def _same(one: str, other: str) -> bool:
    parts = _parts(one)
    return parts is not None and parts == _parts(other)


def _parts(address: str) -> tuple[str, str, int, str] | None:
    """Scheme, host, port and path in normal form (RFC 3986 §6.2); None for another kind of address."""
    try:
        parts: SplitResult = urlsplit(address)
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    if scheme not in _PORTS or not host or parts.username is not None:
        return None
    return scheme, host, port or _PORTS[scheme], parts.path or "/"
