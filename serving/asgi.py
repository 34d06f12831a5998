"""Types of ASGI messages, and the name of the service's own ASGI extension."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
EXCHANGE = "haihe.exchange"  # the extension of `serving.wire.exchange`; a server without it is served all the same
