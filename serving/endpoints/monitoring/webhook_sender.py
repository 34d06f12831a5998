"""Sends one webhook: one POST to the checked address, within a time limit, of whose response only the status is read.

No redirect is followed and no body is read, so the receiver cannot lead the service elsewhere or fill its memory.
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
    """How webhooks are sent.

    `loopback` as for addresses; `authorities` are trusted beside the system's; `lookup` resolves names.
    """

    loopback: bool = False
    seconds: float = SECONDS
    authorities: str | None = None  # PEM
    lookup: Lookup | None = None
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    def __post_init__(self) -> None:
        """Trust the further authorities."""
        if self.authorities:
            self.context.load_verify_locations(cadata=self.authorities)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the response.

        Raises Malformed and Refused for an address that is not allowed, Missing for a name that does not resolve,
        and Lapsed when no valid status arrived in time.
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
                    all_headers = {"Host": target.authority, **headers, "Content-Length": str(len(body)),
                            "Connection": "close"}  # fmt: skip
                    header_lines = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
                    writer.write(f"POST {target.path} HTTP/1.1\r\n{header_lines}\r\n".encode("ascii") + body)
                    status_line = await reader.readline()
                finally:
                    writer.transport.abort()
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            raise Lapsed("webhook-sender.webhook-did-not-answer", why=Text.verbatim(type(error).__name__)) from error
        match = _STATUS.fullmatch(status_line)
        if match is None:
            raise Lapsed("webhook-sender.webhook-did-not-answer", why=Text.of("webhook-sender.not-http"))
        return int(match[1])


@cache
def webhook_sender(settings: ServiceSettings) -> WebhookSender:
    """The sender by the settings. Raises OSError for an authorities file that cannot be read."""
    authorities = settings.webhook_authorities.read_text() if settings.webhook_authorities else None
    return WebhookSender(settings.webhooks_to_loopback, authorities=authorities)
