"""Where a webhook may go: to a public https address and nowhere into our own network (SSRF, OWASP API7:2023).

The name is resolved once, every address it has is judged, and the connection goes to the address that was judged:
a name that answers differently a second later (DNS rebinding) is never asked a second time.
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
_INNER = (ipaddress.ip_network("168.63.129.16/32"),)  # public by its number, and a cloud's own metadata server


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's address, read: `host` is what the certificate must name."""

    tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the header Host says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def read_address(url: str, *, loopback: bool = False) -> Target:
    """Read an address. Raises Malformed for one that is not https, names a user, another port, or cannot be read.

    `loopback` lets http to this very machine through: for invented homes and tests, by an explicit setting.
    """
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _bad("webhook-addresses.characters", longest=LONGEST)
    try:
        told = urlsplit(url)
        host, port = told.hostname or "", told.port
    except ValueError as bad:
        raise _bad("webhook-addresses.unreadable") from bad
    if not host or "@" in told.netloc or told.fragment:
        raise _bad("webhook-addresses.host")
    path = (told.path or "/") + (f"?{told.query}" if told.query else "")
    if loopback and _is_loopback(host):
        return Target(told.scheme == "https", host, port or (443 if told.scheme == "https" else 80), path)
    if told.scheme != "https" or (port or 443) not in PORTS:
        raise _bad("webhook-addresses.port", ports=", ".join(map(str, sorted(PORTS))))
    return Target(True, host, port or 443, path)


async def resolve(target: Target, lookup: Lookup | None = None, *, loopback: bool = False) -> str:
    """The one address to connect to. Raises Missing when there is none, Refused when any of them is not public."""
    try:
        found = await (lookup or _lookup)(target.host, target.port)
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
    except (OSError, UnicodeError, ValueError) as none:
        raise Missing("webhook-addresses.webhook-host-no-address") from none
    if not addresses:
        raise Missing("webhook-addresses.webhook-host-no-address")
    here = loopback and _is_loopback(target.host)
    if not all(address.is_loopback if here else is_public(address) for address in addresses):
        raise Refused("webhook-addresses.webhook-address-not-public-one")
    return str(addresses[0])


def is_public(address: _Address) -> bool:
    """Whether an address is plainly of the internet; one that carries an IPv4 address within (mapped, 6to4, Teredo,
    and NAT64, which Python calls reserved) is not: it could carry one of ours, and nobody has a webhook there."""
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address.is_site_local
    ):
        return False
    plain = address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
    return plain and not any(address in network for network in _INNER)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _lookup(host: str, port: int) -> list[str]:
    told = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in told]


def _bad(why: str, **params: Any) -> Malformed:
    return Malformed("webhook-addresses.not-webhook-address", why=Text(why, params))
