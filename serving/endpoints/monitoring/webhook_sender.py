"""One POST to a webhook: to the address that was judged, in so many seconds, and nothing of the answer but its status.

No redirect is followed and no body is read, so what the other side says cannot lead anywhere or fill anything.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from credit.errors import Lapsed
from credit.messages import Text
from serving.endpoints.monitoring.webhook_addresses import Lookup, read_address, resolve
from serving.settings import ServiceSettings

SECONDS, LONGEST_LINE = 10.0, 1024
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: .*)?\r?\n")


AGENT = {"Content-Type": "application/json", "User-Agent": "haihe-webhooks/1"}


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """How webhooks are sent: `loopback` as for addresses, `authorities` beside the system's, `lookup` for names."""

    loopback: bool = False
    seconds: float = SECONDS
    authorities: str | None = None  # PEM
    lookup: Lookup | None = None
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    def __post_init__(self) -> None:
        """Trust further authorities when some are named."""
        if self.authorities:
            self.context.load_verify_locations(cadata=self.authorities)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status that came back.

        Raises Malformed and Refused for an address that may not be, Missing for a name without one, and Lapsed when
        nothing that can be read came in time.
        """
        target = read_address(url, loopback=self.loopback)
        try:
            async with asyncio.timeout(self.seconds):
                address = await resolve(target, self.lookup, loopback=self.loopback)
                reader, writer = await asyncio.open_connection(
                    address, target.port, limit=LONGEST_LINE,
                    ssl=self.context if target.tls else None, server_hostname=target.host if target.tls else None,
                )  # fmt: skip
                try:
                    told = {"Host": target.authority, **headers, "Content-Length": str(len(body)),
                            "Connection": "close"}  # fmt: skip
                    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
                    writer.write(f"POST {target.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body)
                    line = await reader.readline()
                finally:
                    writer.transport.abort()
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as lost:
            raise Lapsed("webhook-sender.webhook-did-not-answer", why=Text.verbatim(type(lost).__name__)) from lost
        found = _STATUS.fullmatch(line)
        if found is None:
            raise Lapsed("webhook-sender.webhook-did-not-answer", why=Text.of("webhook-sender.not-http"))
        return int(found[1])


@cache
def webhook_sender(settings: ServiceSettings) -> WebhookSender:
    """As the settings say. Raises OSError for authorities that cannot be read."""
    authorities = settings.webhook_authorities.read_text() if settings.webhook_authorities else None
    return WebhookSender(settings.webhooks_to_loopback, authorities=authorities)
