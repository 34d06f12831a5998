"""The results of scoring as types for a type checker: scores, reasons, verifications, and the records behind them."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

# "from" is a word of Python, so this type is written as a call.
Band = TypedDict("Band", {"from": int, "below": int})


class Reason(TypedDict):
    """The points that one feature adds or takes away."""

    code: str
    title: str
    zh: str
    en: str
    direction: Literal["raises", "lowers"]
    points: float


class Rule(TypedDict):
    """A rule of direct judgment (直接判级) that the subject meets."""

    code: str
    grade: str
    zh: str
    en: str


class Missing(TypedDict):
    """The features that no record gives, and how the model handles them."""

    features: list[str]
    policy: dict[str, str]


class SnapshotName(TypedDict):
    """The snapshot behind an answer and the day of its data."""

    id: str
    as_of: str


class Receipt(TypedDict):
    """The ledger's entry for an answer."""

    entry: str
    seq: int
    digest: str


class RankedReason(TypedDict):
    """A feature that moves the points of a live score: its place in the order of strength."""

    code: str
    title: str
    zh: str
    en: str
    direction: Literal["raises", "lowers"]
    rank: int


class _Answer(TypedDict):
    """What a score and a live score have in common."""

    score_id: str
    uscc: str
    model: str
    default_probability: float
    points: float
    grade: str
    grade4: str
    base_points: float
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


class Score(_Answer):
    """A score; `base_points` and the reasons' points sum to `points`, in hundredths."""

    reasons: list[Reason]


class SuppliedFeatures(TypedDict):
    """Which features were supplied. Keep `salt` with the values: with both, the answer can be computed again."""

    features: list[str]
    salt: str
    commitment: str


class LiveScore(_Answer):
    """A score computed in the request, or a trial; its reasons have ranks, or points where the service is set so."""

    reasons: list[Reason] | list[RankedReason]
    kind: Literal["fused", "what_if"]
    brought: SuppliedFeatures


class Part(TypedDict):
    """One subject's part of a batch: the answer, or the problem."""

    status: int
    answer: NotRequired[Score | None]
    problem: NotRequired[dict[str, Any] | None]


class Fact(TypedDict):
    """A reason of a score, and the newest records behind its feature."""

    code: str
    points: float
    tables: list[str]
    total: int
    documents: list[dict[str, str | None]]


class Facts(TypedDict):
    """The records behind the reasons of a score, by document number."""

    facts_id: str
    score_id: str
    uscc: str
    facts: list[Fact]
    snapshot: SnapshotName
    dossiers: SnapshotName
    salt: str
    notice: dict[str, str]
    receipt: Receipt
