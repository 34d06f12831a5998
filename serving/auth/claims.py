"""Reads what a client has signed: the header and the claims of a JWT as typed values, or the token is not good.

Every field has its type before anything uses it, and whatever else goes wrong while a text from outside is read is the
same refusal: there is no list of faults that a new one could be missing from.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import jwt
import msgspec

from credit.errors import Unauthenticated
from credit.messages import Text

LONGEST = 16_384  # characters of a token
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Form = TypeVar("Form", bound="Claims")


class Header(msgspec.Struct, frozen=True):
    """The header of a JWT: the algorithm, the type, and which key."""

    alg: Annotated[str, msgspec.Meta(max_length=16)]
    typ: Annotated[str, msgspec.Meta(max_length=64)] = ""
    kid: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    jwk: dict[str, str] | None = None


class Claims(msgspec.Struct, frozen=True):
    """The claims of a JWT. A time that is no number, or not finite, is a fault of the whole token."""

    def __post_init__(self) -> None:
        """Raise ValueError for a time that is not finite, or a text that is no text in UTF-8."""
        for value in msgspec.structs.asdict(self).values():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError("a time that is not finite")
            if isinstance(value, str):
                value.encode()
                if "\0" in value:
                    raise ValueError("a text that no database holds")


def read_header(token: str, fault: str) -> Header:
    """The header of a token, unverified. Raises Unauthenticated with the message `fault`."""
    try:
        if len(token) > LONGEST:
            raise ValueError("longer than any token")
        _require_one_of_each(token.partition(".")[0])
        return msgspec.convert(jwt.get_unverified_header(token), Header)
    except Exception as bad:
        raise Unauthenticated(Text.of(fault)) from bad


def read_claims(token: str, form: type[Form], fault: str, key: Any = None, **rules: Any) -> Form:
    """The claims of a token that `key` signed; without a key, unverified.

    `rules` are those of PyJWT: the audience, the issuer, the leeway. Raises Unauthenticated with the message `fault`,
    whose reason is another one where the clocks of both sides differ.
    """
    algorithms: Sequence[str] = rules.pop("algorithms", ())
    options: Any = {"verify_iat": False, "verify_nbf": False, **rules.pop("options", {})}
    try:
        if len(token) > LONGEST:
            raise ValueError("longer than any token")
        _require_one_of_each(token.split(".")[1])
        if key is None:
            claims = jwt.decode(token, options={"verify_signature": False})
        else:
            claims = jwt.decode(token, key, algorithms=list(algorithms), options=options, **rules)
        return msgspec.convert(claims, form)
    except Exception as bad:
        raise Unauthenticated(Text.of(fault)) from bad


def _require_one_of_each(part: str) -> None:
    """Raise ValueError for JSON with a member twice: who signed it may have been shown the other one (RFC 7519 §4)."""

    def once(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a member twice")

    json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), object_pairs_hook=once)
