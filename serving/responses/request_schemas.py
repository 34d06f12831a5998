"""The forms of a bank's requests, as OpenAPI 3.1 shows them, and the functions that read a body by its form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError

from credit.errors import Malformed
from credit.messages import Text
from serving.auth.mandates import PURPOSES
from serving.i18n.field_faults import field_fault
from serving.responses.api_schema import ApiSchema

EXAMPLE: dict[str, JsonValue] = {
    "uscc": "91120116MA06XY128A",
    "purpose": PURPOSES[0],
    "mandate": "mandate-0123456789abcdef0123456789abcdef",
}
_ID = "018f2b1c-7d2e-7c55-a5d1-0f7b8e0c9a42"
Form = TypeVar("Form", bound=BaseModel)
Short = Annotated[str, StringConstraints(max_length=256, strict=True)]


class ScoreRequestSchema(ApiSchema, published="Asked"):
    """A request for one score: the subject, the purpose, and the mandate (授权书)."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [dict(EXAMPLE)]}
    )

    uscc: Short = Field(description="统一社会信用代码, 18 characters with valid check characters (GB 32100-2015)")
    purpose: Short = Field(description=f"the mandate's purpose: one of {', '.join(PURPOSES)}")
    mandate: Short = Field(description="the id of a mandate (授权书) granted to the calling bank")


class BatchRequestSchema(ApiSchema, published="AskedBatch"):
    """Up to a thousand subjects, each with its own mandate; each is answered or refused separately."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [{"asks": [dict(EXAMPLE)]}]}
    )

    asks: list[ScoreRequestSchema] = Field(min_length=1, max_length=1000)


class VerificationRequestSchema(ApiSchema, published="AskedVerification"):
    """A question that is answered by yes or no, or by a band of 50 points."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True,
        json_schema_extra={"examples": [{**EXAMPLE, "question": "points_at_least", "value": 650}]},
    )  # fmt: skip

    uscc: Short
    purpose: Short
    mandate: Short
    question: Literal["points_at_least", "grade_at_least", "points_within"]
    value: Annotated[int, Field(strict=True)] | Short | None = None


class ObjectionRequestSchema(ApiSchema, published="AskedObjection"):
    """An objection (异议) to an answer that this bank received; a person reads the statement."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True,
        json_schema_extra={"examples": [{"score_id": _ID, "kind": "human_review", "statement": "the lease has ended"}]},
    )  # fmt: skip

    score_id: Short
    kind: Literal["explanation", "correction", "human_review"]
    statement: Annotated[str, StringConstraints(min_length=1, max_length=2000, strict=True)]


class ScoreRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The fields of `ScoreRequestSchema`, decoded by msgspec: twenty times as fast as pydantic."""

    uscc: Annotated[str, msgspec.Meta(max_length=256)]
    purpose: Annotated[str, msgspec.Meta(max_length=256)]
    mandate: Annotated[str, msgspec.Meta(max_length=256)]


_decode = msgspec.json.Decoder(ScoreRequest).decode


def read_score_request(body: bytes) -> ScoreRequest:
    """Read a request's body. Raises Malformed with the invalid fields and without their values."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        document = parse_body(ScoreRequestSchema, body)  # which raises Malformed with the reason
        return ScoreRequest(document.uscc, document.purpose, document.mandate)


def parse_body(schema: type[Form], body: bytes) -> Form:
    """Read a body by its form. Raises Malformed with the invalid fields and without their values."""
    try:
        return schema.model_validate_json(body)
    except ValidationError as invalid:
        errors = {error.render(): error for error in _faults(schema, invalid)}
        raise Malformed(
            "request-schemas.request-cannot-be-read",
            why=Text.several(errors[text] for text in sorted(errors)),
            model_fields=", ".join(schema.model_fields),
        ) from None


def _faults(form: type[BaseModel], bad: ValidationError) -> Iterator[Text]:
    """What is wrong, field by field; a key that is not ours is not repeated, as it may hold a subject's data."""
    for fault in bad.errors(include_url=False, include_input=False):
        if not fault["loc"]:
            yield Text.of("request-schemas.not-json")
        elif (name := str(fault["loc"][0])) not in form.model_fields:
            yield Text.of("request-schemas.unknown-field")
        else:
            yield field_fault(name, fault)
