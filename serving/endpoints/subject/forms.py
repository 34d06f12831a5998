"""What a subject's browser sends: a short form, a cookie, and nothing that is read from anywhere else."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from fastapi import Request

from credit.errors import Malformed, Refused
from serving.http.body import read_body
from serving.http.products import BodyLimits
from serving.http.request_head import RequestHead

COOKIE, BOUNDS = "haihe_subject", BodyLimits(16_384, 10.0)


def require_own_page(request: Request) -> None:
    """Raise Refused for a form of another site: a cookie is set by it as well, so it could sign someone in or out.

    Browsers say where a form comes from (Fetch Metadata); what says nothing is no browser of today.
    """
    origin = RequestHead(request.scope["headers"]).text(b"sec-fetch-site")
    if origin not in ("", "same-origin", "none"):
        raise Refused("subject-page.form-of-another-page")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form of ours, each once. Raises Refused, Malformed, TooLarge, TooSlow."""
    require_own_page(request)
    head = RequestHead(request.scope["headers"])
    if head.text(b"content-type").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Malformed("subject-page.not-a-form")
    body = await read_body(head.one(b"content-length"), request.receive, BOUNDS)
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=16, errors="strict")
    except ValueError as bad:
        raise Malformed("subject-page.not-a-form") from bad
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Malformed("subject-page.not-a-form")
    return form


def cookie_of(request: Request) -> str:
    """The session's token; empty where there is none."""
    head = RequestHead(request.scope["headers"])
    try:
        cookies = SimpleCookie(head.text(b"cookie"))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


def cookie_line(token: str, *, seconds: int, is_secure: bool) -> str:
    """The Set-Cookie line of a session; an empty token removes it."""
    secure = "; Secure" if is_secure else ""
    return f"{COOKIE}={token}; Path=/subject; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
