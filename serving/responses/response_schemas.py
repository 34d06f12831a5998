"""The forms of answers as OpenAPI 3.1 shows them; other modules encode the answers themselves."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from serving.responses.api_schema import ApiSchema
from serving.responses.request_schemas import _ID


class ReasonSchema(ApiSchema):
    """The points that one feature adds or takes away."""

    code: str
    title: str
    zh: str
    en: str
    direction: str = Field(description="raises or lowers the points")
    points: float = Field(description="two decimals")


class RuleSchema(ApiSchema):
    """A rule of direct judgment (直接判级) that the subject meets: the grade can be no better than the rule's."""

    code: str
    grade: str
    zh: str
    en: str


class MissingSchema(ApiSchema):
    """The features that the subject's records do not give, and how the model handles them."""

    features: list[str]
    policy: dict[str, str]


class SnapshotNameSchema(ApiSchema):
    """The snapshot behind the answer and the day of its data."""

    id: str
    as_of: str


class ReceiptSchema(ApiSchema):
    """The ledger's entry for this answer."""

    entry: str = Field(description="id of the ledger entry: SHA-256")
    seq: int
    digest: str = Field(description="SHA-256 of the canonical JSON of the answer without `uscc` and `receipt`")


class AnswerSchema(ApiSchema):
    """A score. `base_points` plus the points of all `reasons` is exactly `points`, in hundredths."""

    score_id: str = Field(examples=[_ID])
    uscc: str
    model: str
    default_probability: float = Field(description="违约概率 over the model's window", ge=0, le=1)
    points: float
    grade: str = Field(description="四等九级: A, A-, B+, B, B-, C+, C, C-, D")
    grade4: str = Field(description="四等: A 优, B 良, C 中, D 差")
    base_points: float
    reasons: list[ReasonSchema]
    rules: list[RuleSchema]
    missing: MissingSchema
    snapshot: SnapshotNameSchema
    version: str
    release: str
    valid_until: str
    purpose: str
    mandate: str
    notice: dict[str, str]
    receipt: ReceiptSchema


class BatchPartSchema(ApiSchema, published="Part"):
    """One subject's part of a batch: the answer, or the problem."""

    status: int
    answer: AnswerSchema | None = None
    problem: dict[str, Any] | None = None


class BatchAnswerSchema(ApiSchema, published="AnswerBatch"):
    """The parts in the order of the request."""

    answers: list[BatchPartSchema]


class BandSchema(ApiSchema):
    """From these points (included) to below those."""

    model_config = ConfigDict(populate_by_name=True)

    from_: int = Field(alias="from")
    below: int


class VerificationSchema(ApiSchema):
    """The answer to a question; the score itself is not in it."""

    verification_id: str
    uscc: str
    question: str
    value: int | str | None
    answer: bool | BandSchema
    model: str
    snapshot: SnapshotNameSchema
    version: str
    valid_until: str
    purpose: str
    mandate: str
    notice: dict[str, str]
    receipt: ReceiptSchema


class ObjectionSchema(ApiSchema):
    """A recorded objection: a person answers it by the day `due`. GET /v1/objections/{id} gives its status."""

    objection_id: str
    score_id: str
    kind: str
    state: str
    due: str
    receipt: ReceiptSchema


class ObjectionStatusSchema(ApiSchema, published="ObjectionStands"):
    """The status of an objection; `outcome` is the reviewer's text, once there is one."""

    objection_id: str
    score_id: str
    kind: str
    state: str = Field(description="asked, granted (upheld) or refused (dismissed)")
    asked_at: str
    due: str
    decided_by: str | None
    decided_at: str | None
    outcome: str | None


class ProblemSchema(ApiSchema):
    """An error (RFC 9457, application/problem+json); `findings` list the checks that refused."""

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
    score_id: str = Field("", description="the id of the refused call in the ledger")
    findings: list[dict[str, Any]] = Field([])
