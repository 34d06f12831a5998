"""The clients of the service, banks and agencies: their scopes, their rate limits and their networks."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime

from credit.errors import Malformed

SCOPES = frozenset(
    {"score", "batch", "live", "facts", "verify", "object", "query", "report", "watch", "job", "mandate", "outcome"}
)
AGENCY = "agency"
KINDS = {
    "bank": SCOPES,
    AGENCY: frozenset({"query", "report", "supervise"}),
}  # scopes by kind


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many requests a client may send: `rate` per second in the long run, and `burst` at once."""

    rate: float
    burst: float

    def __post_init__(self) -> None:
        """Raise Malformed unless the rate is above 0 and the burst at least 1."""
        if not (self.rate > 0 and self.burst >= 1):
            raise Malformed("clients.not-limit")


Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MAX_KEYS = 2  # keys of a client at one time: the present one and the next
DEFAULT_LIMIT = RateLimit(200, 1000)  # of a client without a limit of its own


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client: its name, its scopes, since when it exists, and whether it is disabled."""

    name: str
    scopes: frozenset[str]
    created_at: datetime
    disabled: bool
    limit: RateLimit = DEFAULT_LIMIT
    kind: str = "bank"
    networks: tuple[Network, ...] = ()  # from which it may call; without any, from everywhere

    def may_call_from(self, peer: str) -> bool:
        """Whether a call from this address is allowed."""
        return is_within(peer, self.networks)


def is_within(peer: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address is in one of these networks, or `networks` is empty."""
    if not networks:
        return True
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((inner or address) in network for network in networks)
