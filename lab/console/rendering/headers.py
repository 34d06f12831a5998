"""Security headers of every response (响应头): own scripts only, no framing, no caching (OWASP Secure Headers)."""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
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
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"  # for files that a researcher supplied
SECURITY_HEADERS = {
    "content-security-policy": POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), clipboard-read=()",
    "cache-control": "no-store",
}


def attachment(name: str, content: bytes) -> Response:
    """A file that the browser stores and does not open, under its name in any script (RFC 6266)."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": SANDBOX,
    }
    return Response(content, media_type="application/octet-stream", headers=headers)


class SecurityHeaders:
    """Middleware that adds the fixed headers to every response; headers that a response already has stay.

    ``hub`` is the hub's origin when it differs from the console's: the log-out form is redirected to it.
    """

    def __init__(self, app: ASGIApp, hub: str = "") -> None:
        self.app = app
        policy = POLICY.replace("form-action 'self'", f"form-action 'self' {hub}".strip())
        self.fixed = {**SECURITY_HEADERS, "content-security-policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its response."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.fixed.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)
