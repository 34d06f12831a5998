"""Each request has an id, which its answer names in the header X-Request-Id and its ledger entry bears."""

from __future__ import annotations

from serving.asgi import Message, Send
from serving.audit.identifiers import score_id

HEADER = "X-Request-Id"
_KEY, _LINE = "haihe.request_id", HEADER.lower().encode()


def with_request_id(scope: Message, send: Send) -> Send:
    """Give the request of `scope` an id; gives the `send` that adds it to the answer.

    An id of the caller's is not taken, as it would name two requests alike.
    """
    scope[_KEY] = request_id = score_id()
    line = (_LINE, request_id.encode())

    async def send_with_id(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), line]}
        await send(message)

    return send_with_id


def request_id_of(scope: Message) -> str:
    """The id that `with_request_id` gave the request."""
    request_id: str = scope[_KEY]
    return request_id
