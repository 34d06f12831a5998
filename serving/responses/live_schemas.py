"""The request and answer forms of a live score, and the commitment to the values that a bank supplies."""

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
from serving.responses.response_schemas import AnswerSchema, ReasonSchema

MAX_SUPPLIED = 512  # features that one request may supply
Kind = Literal["fused", "what_if"]
ReasonForm = Literal["points", "ranks", "none"]  # how an answer gives its reasons
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class LiveRequestSchema(ApiSchema, published="AskedLive"):
    """A subject, and values that replace the snapshot's; null where the bank knows that there is none.

    A bank may state market features and its own. What public records give comes from them: another name is refused.
    """

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True,
        json_schema_extra={"examples": [{**EXAMPLE, "features": {"sales_12m": 1250000.0}, "kind": "fused"}]},
    )  # fmt: skip

    uscc: Short
    purpose: Short
    mandate: Short
    features: dict[Short, Number | None] = Field(min_length=1, max_length=MAX_SUPPLIED)
    kind: Kind = Field("fused", description="fused: values that the bank knows; what_if: a trial, which is not a score")


class LiveRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The fields of `LiveRequestSchema`, decoded by msgspec."""

    uscc: Annotated[str, msgspec.Meta(max_length=256)]
    purpose: Annotated[str, msgspec.Meta(max_length=256)]
    mandate: Annotated[str, msgspec.Meta(max_length=256)]
    features: Annotated[dict[str, float | None], msgspec.Meta(min_length=1, max_length=MAX_SUPPLIED)]
    kind: Kind = "fused"


class SuppliedValues(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The values and the salt that a bank keeps of a live score, so that the score can be computed again."""

    features: dict[str, float | None]
    salt: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(LiveRequest).decode
_decode_supplied = msgspec.json.Decoder(SuppliedValues).decode


class SuppliedFeaturesSchema(ApiSchema, published="Brought"):
    """Which features were supplied; `commitment` is the SHA-256 over `salt` and the canonical JSON of their values."""

    features: list[str]
    salt: str
    commitment: str


class RankedReasonSchema(ApiSchema, published="RankedReason"):
    """A feature that moves the points of a live score: its place in the order of strength, without its points."""

    code: str
    title: str
    zh: str
    en: str
    direction: str = Field(description="raises or lowers the points")
    rank: int = Field(description="1 is the strongest")


class LiveAnswerSchema(AnswerSchema, published="AnswerLive"):
    """An answer computed in the request, with the features that the bank supplied. Its reasons have
    ranks, or points or none where the service is set so.
    """

    reasons: list[ReasonSchema] | list[RankedReasonSchema]  # type: ignore[assignment]  # by rank or in points
    kind: Kind
    brought: SuppliedFeaturesSchema


def read_live_request(body: bytes) -> LiveRequest:
    """Read a request's body. Raises Malformed with the invalid fields and without their values."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        document = parse_body(LiveRequestSchema, body)  # which raises Malformed with the reason
        return LiveRequest(document.uscc, document.purpose, document.mandate, document.features, document.kind)


def read_supplied_values(text: bytes) -> tuple[Mapping[str, float | None], str]:
    """The features and the salt of `{"features": …, "salt": hex}`. Raises Malformed without repeating a value."""
    try:
        supplied = _decode_supplied(text)
        bytes.fromhex(supplied.salt)
    except (msgspec.MsgspecError, ValueError, RecursionError) as invalid:
        raise Malformed("live-schemas.brought-unreadable") from invalid
    return supplied.features, supplied.salt


def commitment(supplied: Mapping[str, float | None], salt: str) -> str:
    """SHA-256 over the salt's bytes and the canonical JSON of the values as floats, in hex."""
    text = canonical({name: None if value is None else float(value) for name, value in supplied.items()})
    return _salted(salt, text)


def commitment_of(values: Sequence[float | None], template: bytes, salt: str) -> str | None:
    """The same commitment for floats in the order of their names, by a `template` of the JSON with one `%b` per value.

    None when msgspec writes a value, very small or very large, otherwise than the canonical form does.
    """
    numbers = _encode(values)
    if b"e" in numbers or b"0.0000" in numbers:
        return None
    return _salted(salt, template % tuple(numbers[1:-1].split(b",")))


def _salted(salt: str, text: bytes) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + text).hexdigest()
