"""The addresses that a webhook may go to: public https addresses, and none in internal networks (SSRF, OWASP
API7:2023).

The name is resolved once, every address that it has is checked, and the connection goes to the checked address. So a
name that resolves differently a second later (DNS rebinding) is not resolved again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from credit.errors import Malformed, Missing, Refused
from credit.messages import Text

PORTS = frozenset({443, 8443})
LONGEST = 1024
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_INTERNAL = (ipaddress.ip_network("168.63.129.16/32"),)  # public by its number, but a cloud provider's metadata server


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed webhook address; `host` is the name that the certificate must have."""

    tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def read_address(url: str, *, loopback: bool = False) -> Target:
    """Parse an address. Raises Malformed when it is not https, names a user or another port, or cannot be read.

    `loopback` also allows http to this machine: for invented homes and tests, by an explicit setting.
    """
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _invalid("webhook-addresses.characters", longest=LONGEST)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as invalid:
        raise _invalid("webhook-addresses.unreadable") from invalid
    if not host or "@" in parts.netloc or parts.fragment:
        raise _invalid("webhook-addresses.host")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if loopback and _is_loopback(host):
        return Target(parts.scheme == "https", host, port or (443 if parts.scheme == "https" else 80), path)
    if parts.scheme != "https" or (port or 443) not in PORTS:
        raise _invalid("webhook-addresses.port", ports=", ".join(map(str, sorted(PORTS))))
    return Target(True, host, port or 443, path)


async def resolve(target: Target, lookup: Lookup | None = None, *, loopback: bool = False) -> str:
    """The address to connect to. Raises Missing when there is none, Refused when any of them is not public."""
    try:
        texts = await (lookup or _lookup)(target.host, target.port)
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in texts]
    except (OSError, UnicodeError, ValueError) as error:
        raise Missing("webhook-addresses.webhook-host-no-address") from error
    if not addresses:
        raise Missing("webhook-addresses.webhook-host-no-address")
    to_loopback = loopback and _is_loopback(target.host)
    if not all(address.is_loopback if to_loopback else is_public(address) for address in addresses):
        raise Refused("webhook-addresses.webhook-address-not-public-one")
    return str(addresses[0])


def is_public(address: _Address) -> bool:
    """Whether an address is public.

    An IPv6 address that contains an IPv4 address (mapped, 6to4, Teredo, and NAT64, which Python calls reserved) is
    not: it could contain an internal one, and no webhook receiver uses such an address.
    """
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address.is_site_local
    ):
        return False
    plain = address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
    return plain and not any(address in network for network in _INTERNAL)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _lookup(host: str, port: int) -> list[str]:
    results = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in results]


def _invalid(why: str, **params: Any) -> Malformed:
    return Malformed("webhook-addresses.not-webhook-address", why=Text(why, params))
