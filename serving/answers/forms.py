"""The forms of the interface as OpenAPI 3.1 shows them; requests are read with these, answers are made elsewhere."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError

from credit.errors import Malformed
from serving.access.mandates import PURPOSES

EXAMPLE: dict[str, JsonValue] = {
    "uscc": "91120116MA06XY128A",
    "purpose": PURPOSES[0],
    "mandate": "mandate-0123456789abcdef0123456789abcdef",
}
_ID = "018f2b1c-7d2e-7c55-a5d1-0f7b8e0c9a42"
Form = TypeVar("Form", bound=BaseModel)
Short = Annotated[str, StringConstraints(max_length=256, strict=True)]


class Asked(BaseModel):
    """What a bank asks: whose score, what for, and under which mandate."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [dict(EXAMPLE)]}
    )

    uscc: Short = Field(description="统一社会信用代码, 18 characters with both check characters right (GB 32100-2015)")
    purpose: Short = Field(description=f"the mandate's purpose: one of {', '.join(PURPOSES)}")
    mandate: Short = Field(description="the id of a mandate (授权书) granted to the calling bank")


class AskedBatch(BaseModel):
    """Up to a thousand subjects, each with its own mandate; each is judged by itself."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [{"asks": [dict(EXAMPLE)]}]}
    )

    asks: list[Asked] = Field(min_length=1, max_length=1000)


class AskedVerification(BaseModel):
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


class AskedObjection(BaseModel):
    """An objection to an answer, brought by the bank that was given it; the statement is read by a person."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True,
        json_schema_extra={"examples": [{"score_id": _ID, "kind": "human_review", "statement": "the lease has ended"}]},
    )  # fmt: skip

    score_id: Short
    kind: Literal["explanation", "correction", "human_review"]
    statement: Annotated[str, StringConstraints(min_length=1, max_length=2000, strict=True)]


class Ask(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What `Asked` declares, as it is read on the way to an answer: twenty times as fast."""

    uscc: Annotated[str, msgspec.Meta(max_length=256)]
    purpose: Annotated[str, msgspec.Meta(max_length=256)]
    mandate: Annotated[str, msgspec.Meta(max_length=256)]


_decode = msgspec.json.Decoder(Ask).decode


class Reason(BaseModel):
    """What one feature added to the points, or took away."""

    code: str
    title: str
    zh: str
    en: str
    direction: str = Field(description="raises or lowers the points")
    points: float = Field(description="two decimals")


class Rule(BaseModel):
    """A rule of direct judgment (直接判级) that was met: the grade can be no better than this."""

    code: str
    grade: str
    zh: str
    en: str


class Missing(BaseModel):
    """Features that the subject's records do not tell, and what the model does about it."""

    features: list[str]
    policy: dict[str, str]


class SnapshotName(BaseModel):
    """The snapshot answered from and the day of its data."""

    id: str
    as_of: str


class Receipt(BaseModel):
    """The ledger's entry on this answer."""

    entry: str = Field(description="id of the ledger entry: SHA-256")
    seq: int
    digest: str = Field(description="SHA-256 of the canonical JSON of the answer without `uscc` and `receipt`")


class Answer(BaseModel):
    """A score. `base_points` plus the points of all `reasons` is exactly `points`, in hundredths."""

    score_id: str = Field(examples=[_ID])
    uscc: str
    model: str
    default_probability: float = Field(description="违约概率 over the model's window", ge=0, le=1)
    points: float
    grade: str = Field(description="四等九级: A, A-, B+, B, B-, C+, C, C-, D")
    grade4: str = Field(description="四等: A 优, B 良, C 中, D 差")
    base_points: float
    reasons: list[Reason]
    rules: list[Rule]
    missing: Missing
    snapshot: SnapshotName
    version: str
    release: str
    valid_until: str
    purpose: str
    mandate: str
    notice: dict[str, str]
    receipt: Receipt


class Part(BaseModel):
    """One subject's part of a batch: the answer, or the problem."""

    status: int
    answer: Answer | None = None
    problem: dict[str, Any] | None = None


class AnswerBatch(BaseModel):
    """The parts in the order asked."""

    answers: list[Part]


class Band(BaseModel):
    """From these points (included) to below those."""

    model_config = ConfigDict(populate_by_name=True)

    from_: int = Field(alias="from")
    below: int


class Verification(BaseModel):
    """The answer to a question; the score itself is not in it."""

    verification_id: str
    uscc: str
    question: str
    value: int | str | None
    answer: bool | Band
    model: str
    snapshot: SnapshotName
    version: str
    valid_until: str
    purpose: str
    mandate: str
    notice: dict[str, str]
    receipt: Receipt


class Objection(BaseModel):
    """An objection taken: a person answers by the day `due`; ask GET /v1/objections/{id} how it stands."""

    objection_id: str
    score_id: str
    kind: str
    state: str
    due: str
    receipt: Receipt


class ObjectionStands(BaseModel):
    """How an objection stands: `outcome` is the reviewer's word, once there is one."""

    objection_id: str
    score_id: str
    kind: str
    state: str = Field(description="asked, granted (upheld) or refused (dismissed)")
    asked_at: str
    due: str
    decided_by: str | None
    decided_at: str | None
    outcome: str | None


class Problem(BaseModel):
    """An error (RFC 9457, application/problem+json); `findings` say which checks refused."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "type": "urn:haihe:problem:refused", "title": "The mandate gate did not open", "status": 403,
        "detail": "time: fail (the mandate is not in force on this day)",
        "remedy": "Mend what the findings name and ask again", "score_id": _ID,
        "findings": [{"check": "time", "outcome": "fail", "why": "the mandate is not in force on this day",
                      "evidence": {}}],
    }]})  # fmt: skip

    type: str = Field(examples=["urn:haihe:problem:refused"])
    title: str
    status: int
    detail: str = ""
    remedy: str = ""
    score_id: str = Field("", description="under which the refused call stands in the ledger")
    findings: list[dict[str, Any]] = []


def read_ask(body: bytes) -> Ask:
    """Read a request's body. Raises Malformed naming the fields at fault and never repeating what they held."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        asked = explain(Asked, body)  # which says what is wrong
        return Ask(asked.uscc, asked.purpose, asked.mandate)


def explain(form: type[Form], body: bytes) -> Form:
    """Read a body by its form. Raises Malformed naming the fields at fault and never repeating what they held."""
    try:
        return form.model_validate_json(body)
    except ValidationError as bad:
        faults = bad.errors(include_url=False, include_context=False, include_input=False)
        known = set(form.model_fields)  # a key that is not ours may itself hold a subject's data
        named = sorted(
            {
                f"{part}: {fault['msg']}"
                if (part := str((fault["loc"] or ("",))[0])) in known
                else ("an unknown field" if fault["loc"] else "not JSON")
                for fault in faults
            }
        )
        remedy = f"Send a JSON object with {', '.join(form.model_fields)}"
        raise Malformed("The request cannot be read", why="; ".join(named), remedy=remedy) from None
