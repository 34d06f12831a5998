"""The results of a bank's client as types for a type checker: the JSON fields of the service's answers."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from serving.bank.deprecated import renamed_attribute


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
    """Which features were supplied. Keep `salt` with the values: with both, the answer can be computed again."""

    features: list[str]
    salt: str
    commitment: str


class LiveScore(Score):
    """A score computed in the request, or a trial."""

    kind: Literal["fused", "what_if"]
    brought: SuppliedFeatures


class Part(TypedDict):
    """One subject's part of a batch: the answer, or the problem."""

    status: int
    answer: NotRequired[Score | None]
    problem: NotRequired[dict[str, Any] | None]


class Objection(TypedDict):
    """A recorded objection: a person answers it by the day `due`."""

    objection_id: str
    score_id: str
    kind: str
    state: str
    due: str
    receipt: Receipt


def __getattr__(name: str) -> Any:
    """Old names of this module."""
    return renamed_attribute(__name__, name, {"Brought": ("SuppliedFeatures", SuppliedFeatures)})
