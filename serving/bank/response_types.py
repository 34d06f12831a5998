"""What a bank's program is told, as types: the same names as the service's own forms, for a reader of plain JSON."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Reason(TypedDict):
    """What one feature added to the points, or took away."""

    code: str
    title: str
    zh: str
    en: str
    direction: Literal["raises", "lowers"]
    points: float


class Rule(TypedDict):
    """A rule of direct judgment (直接判级) that was met."""

    code: str
    grade: str
    zh: str
    en: str


class Missing(TypedDict):
    """Features that no record tells, and what the model does about it."""

    features: list[str]
    policy: dict[str, str]


class SnapshotName(TypedDict):
    """The snapshot answered from and the day of its data."""

    id: str
    as_of: str


class Receipt(TypedDict):
    """The ledger's entry on an answer."""

    entry: str
    seq: int
    digest: str


class Score(TypedDict):
    """A score; `base_points` and the reasons' points sum to `points`, in hundredths."""

    score_id: str
    uscc: str
    model: str
    default_probability: float
    points: float
    grade: str
    grade4: str
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


class SuppliedFeatures(TypedDict):
    """Which features were brought along; keep `salt` with the values: the two make the answer again."""

    features: list[str]
    salt: str
    commitment: str


class LiveScore(Score):
    """A score made in the request, or a trial."""

    kind: Literal["fused", "what_if"]
    brought: SuppliedFeatures


class Part(TypedDict):
    """One subject's part of a batch: the answer, or the problem."""

    status: int
    answer: NotRequired[Score | None]
    problem: NotRequired[dict[str, Any] | None]


class Objection(TypedDict):
    """An objection taken: a person answers by the day `due`."""

    objection_id: str
    score_id: str
    kind: str
    state: str
    due: str
    receipt: Receipt
