"""The forms of a live score: what a bank sends along, and what it is told beyond an answer by code."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from pydantic import ConfigDict, Field

from credit.canonical import canonical
from credit.errors import Malformed
from serving.responses.api_schema import ApiSchema
from serving.responses.request_schemas import EXAMPLE, Short, parse_body
from serving.responses.response_schemas import AnswerSchema

MAX_SUPPLIED = 512  # features brought along
Kind = Literal["fused", "what_if"]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class LiveRequestSchema(ApiSchema, published="AskedLive"):
    """A subject, and values that stand in the place of the snapshot's; null where the bank knows there is none."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True,
        json_schema_extra={"examples": [{**EXAMPLE, "features": {"honours": 2.0}, "kind": "fused"}]},
    )  # fmt: skip

    uscc: Short
    purpose: Short
    mandate: Short
    features: dict[Short, Number | None] = Field(min_length=1, max_length=MAX_SUPPLIED)
    kind: Kind = Field("fused", description="fused: what the bank knows; what_if: a trial, which is no score")


class LiveRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What `AskedLive` declares, as it is read."""

    uscc: Annotated[str, msgspec.Meta(max_length=256)]
    purpose: Annotated[str, msgspec.Meta(max_length=256)]
    mandate: Annotated[str, msgspec.Meta(max_length=256)]
    features: Annotated[dict[str, float | None], msgspec.Meta(min_length=1, max_length=MAX_SUPPLIED)]
    kind: Kind = "fused"


class SuppliedValues(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a bank keeps of a live score, to have it made again."""

    features: dict[str, float | None]
    salt: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(LiveRequest).decode
_decode_brought = msgspec.json.Decoder(SuppliedValues).decode


class SuppliedFeaturesSchema(ApiSchema, published="Brought"):
    """Which features were brought; `commitment` is the SHA-256 over `salt` and the canonical JSON of their values."""

    features: list[str]
    salt: str
    commitment: str


class LiveAnswerSchema(AnswerSchema, published="AnswerLive"):
    """An answer made in the request, with what was brought along."""

    kind: Kind
    brought: SuppliedFeaturesSchema


def read_live_request(body: bytes) -> LiveRequest:
    """Read a request's body. Raises Malformed naming the fields at fault and never repeating what they held."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        asked = parse_body(LiveRequestSchema, body)  # which says what is wrong
        return LiveRequest(asked.uscc, asked.purpose, asked.mandate, asked.features, asked.kind)


def read_supplied_values(text: bytes) -> tuple[Mapping[str, float | None], str]:
    """The features and the salt of `{"features": …, "salt": hex}`. Raises Malformed, and repeats no value."""
    try:
        told = _decode_brought(text)
        bytes.fromhex(told.salt)
    except (msgspec.MsgspecError, ValueError, RecursionError) as bad:
        raise Malformed("live-schemas.brought-unreadable") from bad
    return told.features, told.salt


def commitment(brought: Mapping[str, float | None], salt: str) -> str:
    """SHA-256 over the salt's bytes and the canonical JSON of the values as numbers with a point, in hex."""
    told = canonical({name: None if value is None else float(value) for name, value in brought.items()})
    return _salted(salt, told)


def commitment_of(values: Sequence[float | None], laid_out: bytes, salt: str) -> str | None:
    """The same of floats in the order of their names, which are `laid_out` with a `%b` for each value.

    None when a value is so small or so large that the quick writer writes it in another way than the canonical one.
    """
    numbers = _encode(values)
    if b"e" in numbers or b"0.0000" in numbers:
        return None
    return _salted(salt, laid_out % tuple(numbers[1:-1].split(b",")))


def _salted(salt: str, told: bytes) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + told).hexdigest()
