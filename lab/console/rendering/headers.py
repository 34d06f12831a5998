"""The headers of every answer (响应头): no script but ours, no frame around us, nothing kept by the browser."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"  # for bytes that came from a researcher
FIXED = {
    "content-security-policy": POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), clipboard-read=()",
    "cache-control": "no-store",
}


class Headers:
    """Puts the fixed headers on whatever the app answers; an answer's own stricter ones stay.

    ``hub``: the hub's origin where it is not ours: a form that logs out is sent on to it.
    """

    def __init__(self, app: ASGIApp, hub: str = "") -> None:
        self.app = app
        policy = POLICY.replace("form-action 'self'", f"form-action 'self' {hub}".strip())
        self.fixed = {**FIXED, "content-security-policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.fixed.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)
