"""The answer to a bank as plain values: a subject's score, the reasons that sum to it, and the seals behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.canonical import digest_json
from credit.errors import Broken
from serving.data.snapshot import ActiveSnapshot

# These texts are part of every answer's digest: a change would break the replay of earlier answers.
NOTICE = {
    "zh": "仅供融资授信参考，不是授信决定；当事人可要求说明、提出异议或申请人工复核。",
    "en": "A reference, not a decision; the subject may ask for an explanation, object, or ask a person to look again.",
}
TRIAL_NOTICE = {
    "zh": "假设情形的试算，不是该主体的评价结果。",
    "en": "A trial of what would be if; not a score of the subject.",
}
MISSING_POLICY = {
    "zh": "缺失的指标不作填补，按模型训练时学得的方向处理。",
    "en": "A missing feature is not filled in: the model goes the way it learned for missing ones.",
}
PROBABILITY_DIGITS = 8  # further digits may differ between machines, as floating point does
_NOT_DIGESTED = ("uscc", "receipt")


@dataclass(frozen=True, slots=True)
class SubjectScore:
    """What a model computes for one subject: the features (F,), and the probability, points, contributions (F,) and
    grade made of them.
    """

    features: NDArray[np.float64]
    probability: float
    points: float
    base_points: float
    contributions: NDArray[np.float64]
    grade: str


def stored_score(snapshot: ActiveSnapshot, row: int) -> SubjectScore:
    """The score that the snapshot stores in `row`. Raises Broken when its grade is not one of the version's."""
    answer, grade = snapshot.answers[row], int(snapshot.answers[row]["grade"])
    if not 0 <= grade < len(snapshot.scorecard.grades):
        raise Broken("compose.snapshot-names-grade-version-not")
    features = np.array(snapshot.features[row], dtype=np.float64)
    contributions = np.array(answer["contributions"], dtype=np.float64)
    numbers = float(answer["probability"]), float(answer["points"]), float(answer["base_points"])
    return SubjectScore(features, *numbers, contributions, snapshot.scorecard.grades[grade])


def compose(
    snapshot: ActiveSnapshot, score: SubjectScore, *, score_id: str, mandate: str, purpose: str, valid_until: date
) -> dict[str, Any]:
    """The answer from `snapshot` for the subject of `score`, as plain values, without the code and the receipt.

    Points are rounded to whole hundredths, and `base_points` plus the reasons' points is exactly `points` in
    hundredths. Raises Broken when the snapshot's own numbers do not sum.
    """
    scorecard, points, base = snapshot.scorecard, score.points, score.base_points
    if not abs(base + float(score.contributions.sum()) - points) < 1e-6:
        raise Broken("compose.snapshot-contributions-do-not-sum", snapshot=snapshot.snapshot[:21])
    hits = scorecard.rule_hits(score.features[None, :])[0]
    return {
        "score_id": score_id,
        "model": snapshot.model,
        "default_probability": round(score.probability, PROBABILITY_DIGITS),
        "points": round(points * 100) / 100,
        "grade": score.grade,
        "grade4": score.grade[0],  # 四等 A 优 B 良 C 中 D 差; the nine grades refine them by + and -
        "base_points": round(base * 100) / 100,
        "reasons": [
            {
                "code": reason.feature,
                "title": reason.title,
                "zh": reason.zh,
                "en": reason.en,
                "direction": "raises" if reason.points > 0 else "lowers",  # raises or lowers the points
                "points": reason.points,
            }
            for reason in scorecard.reasons(base, points, score.contributions)
            if reason.points
        ],
        "rules": [
            {"code": rule.feature, "grade": rule.grade, "zh": rule.zh, "en": rule.en}
            for rule, hit in zip(scorecard.rules, hits, strict=True)
            if hit
        ],
        "missing": {
            "features": [scorecard.names[index] for index in np.flatnonzero(np.isnan(score.features))],
            "policy": MISSING_POLICY,
        },
        "snapshot": {"id": snapshot.snapshot, "as_of": snapshot.as_of.isoformat()},
        "version": snapshot.version,
        "release": snapshot.release,
        "valid_until": valid_until.isoformat(),
        "purpose": purpose,
        "mandate": mandate,
        "notice": NOTICE,
    }


def answer_digest(answer: Mapping[str, Any]) -> str:
    """The SHA-256 of the canonical JSON of an answer, which the ledger stores and the bank compares.

    The code is left out: otherwise a reader of the ledger could try all codes and undo the pseudonym beside the
    digest.
    """
    return digest_json({name: value for name, value in answer.items() if name not in _NOT_DIGESTED})
