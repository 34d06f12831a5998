"""Who may call: a bank or an agency, what it may ask for, how much, and from where."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime

from credit.errors import Malformed

SCOPES = frozenset({"score", "batch", "live", "facts", "verify", "object", "query", "report", "watch", "job"})
KINDS = {"bank": SCOPES, "agency": frozenset({"query", "report", "supervise"})}  # what a client of each kind may have


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How much may be asked: so many a second in the long run, and so many at once."""

    rate: float
    burst: float

    def __post_init__(self) -> None:
        """Raises Malformed unless both are above 0."""
        if not (self.rate > 0 and self.burst >= 1):
            raise Malformed("clients.not-limit")


Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MAX_KEYS = 2  # of a bank at one time: the present one and the next
DEFAULT_LIMIT = RateLimit(200, 1000)  # of a bank for whom nothing else was said


@dataclass(frozen=True, slots=True)
class Client:
    """A bank's client: its name, what it may ask for, since when, and whether it was shut out."""

    name: str
    scopes: frozenset[str]
    created_at: datetime
    disabled: bool
    limit: RateLimit = DEFAULT_LIMIT
    kind: str = "bank"
    networks: tuple[Network, ...] = ()  # from where it may call; from anywhere when there is none

    def may_call_from(self, peer: str) -> bool:
        """Whether a call from this address is let in."""
        return is_within(peer, self.networks)


def is_within(peer: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address is in one of these networks, or there are none."""
    if not networks:
        return True
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((inner or address) in network for network in networks)
