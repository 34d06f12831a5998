"""Reading of request bodies, within a limit of size and of time."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from starlette.requests import ClientDisconnect, Request

from credit.errors import Malformed
from lab.gateway.error_responses import TooLarge, TooSlow

SMALL = 1 << 18  # bytes of a body without files
SECONDS = 30.0  # seconds for a body
DIGEST = re.compile(r"[0-9a-f]{64}")  # a SHA-256 as it is sent


async def read_body(request: Request, limit: int = SMALL, seconds: float = SECONDS) -> bytes:
    """The whole body. Raises :class:`TooLarge` as soon as it is known to be over ``limit`` bytes, before reading on,
    and :class:`TooSlow` after ``seconds``.
    """
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    size, parts = 0, []
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise _too_large(limit)
                parts.append(part)
    except TimeoutError as error:
        raise TooSlow("request-bodies.body-came-too-slowly", seconds=seconds) from error
    except ClientDisconnect as error:
        raise Malformed("request-bodies.body-not-sent-whole") from error
    return b"".join(parts)


async def read_json(request: Request, limit: int = SMALL) -> Any:
    """The body as JSON; raises :class:`Malformed`, :class:`TooLarge`, :class:`TooSlow`."""
    try:
        return json.loads(await read_body(request, limit))
    except (ValueError, RecursionError) as error:
        raise Malformed("request-bodies.body-not-json") from error


async def read_object(request: Request, limit: int = SMALL) -> dict[str, Any]:
    """The body as a JSON object; raises as :func:`read_json`."""
    data = await read_json(request, limit)
    if not isinstance(data, dict):
        raise Malformed("request-bodies.body-not-json-object")
    return data


def text_of(data: dict[str, Any], key: str, *, most: int, otherwise: str | None = None) -> str:
    """The text under a key, of at most ``most`` characters; raises :class:`Malformed` with the name of the key."""
    value = data.get(key, otherwise)
    if not isinstance(value, str) or len(value) > most:
        raise Malformed("request-bodies.cannot-be-read", key=key, limit=most)
    return value


def _too_large(limit: int) -> TooLarge:
    return TooLarge("request-bodies.body-too-large", limit=limit)
