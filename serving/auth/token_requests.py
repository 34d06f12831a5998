"""A token request: the form of RFC 6749 §4.4. A secret, an assertion or a certificate proves the client."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from credit.errors import Refused, Unauthenticated
from credit.messages import Text
from serving.auth.claims import Claims, Name, read_claims
from serving.auth.dpop import ASSERTION


class TokenRefused(Refused):
    """A token request refused (HTTP 400) with one of the error codes of RFC 6749 §5.2."""

    status, slug = 400, "token-refused"

    def __init__(self, error: str, description: Text) -> None:
        super().__init__(description)
        self.error = error


class ClientRefused(TokenRefused):
    """The client itself was not authenticated (HTTP 401, invalid_client)."""

    status = 401

    def __init__(self, description: Text) -> None:
        super().__init__("invalid_client", description)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token request with a valid form; the secret is not yet checked."""

    name: str
    secret: str
    scopes: frozenset[str]
    assertion: str = ""
    by_certificate: bool = False  # the client only names itself, and its TLS certificate proves it (RFC 8705 §2)

    @classmethod
    def parse(cls, content_type: str, authorization: str, body: bytes) -> TokenRequest:
        """Read the form and the client from HTTP Basic or the form, never both. Raises TokenRefused."""
        if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            raise TokenRefused("invalid_request", Text.of("token-requests.not-form-encoded"))
        try:
            pairs = parse_qsl(body.decode("utf-8"), strict_parsing=True, max_num_fields=16, errors="strict")
        except ValueError as bad:  # UnicodeDecodeError is one
            raise TokenRefused("invalid_request", Text.of("token-requests.not-a-form")) from bad
        form = dict(pairs)
        if len(form) != len(pairs):
            raise TokenRefused("invalid_request", Text.of("token-requests.repeated-parameter"))
        assertion = form.get("client_assertion", "")
        if assertion or "client_assertion_type" in form:
            name, secret = _client_of_assertion(authorization, form), ""
        else:
            name, secret = _client_of(authorization, form)
        if "grant_type" not in form:
            raise TokenRefused("invalid_request", Text.of("token-requests.no-grant-type"))
        if form["grant_type"] != "client_credentials":
            raise TokenRefused("unsupported_grant_type", Text.of("token-requests.unknown-grant-type"))
        by_certificate = not secret and not assertion
        return cls(name, secret, frozenset(form.get("scope", "").split()), assertion, by_certificate)


class _Subject(Claims, frozen=True):
    sub: Name


def _client_of_assertion(authorization: str, form: Mapping[str, str]) -> str:
    """The client that an assertion names (RFC 7523 §2.2); its signature is checked later."""
    if authorization or "client_secret" in form:
        raise TokenRefused("invalid_request", Text.of("token-requests.named-by-assertion-and-otherwise"))
    if form.get("client_assertion_type") != ASSERTION or not form.get("client_assertion"):
        raise TokenRefused("invalid_request", Text.of("token-requests.assertion-and-type"))
    try:
        name = read_claims(form["client_assertion"], _Subject, "token-requests.assertion-unreadable").sub
    except Unauthenticated as bad:
        raise ClientRefused(Text.of("token-requests.assertion-unreadable")) from bad
    if form.get("client_id", name) != name:
        raise ClientRefused(Text.of("token-requests.assertion-of-another"))
    return name


def _client_of(authorization: str, form: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        if "client_secret" in form:
            raise TokenRefused("invalid_request", Text.of("token-requests.named-in-header-and-form"))
        try:
            name, colon, secret = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError) as bad:
            raise ClientRefused(Text.of("token-requests.basic-unreadable")) from bad
        if not colon or not secret or form.get("client_id", unquote_plus(name)) != unquote_plus(name):
            raise ClientRefused(Text.of("token-requests.basic-unreadable"))
        return unquote_plus(name), unquote_plus(secret)  # RFC 6749 §2.3.1: both are form-encoded inside Basic
    if form.get("client_id") and form.get("client_secret"):
        return form["client_id"], form["client_secret"]
    if form.get("client_id") and "client_secret" not in form and not authorization:
        return form["client_id"], ""
    raise ClientRefused(Text.of("token-requests.no-credentials"))
