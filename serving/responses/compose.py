"""The answer to a bank: what the snapshot says of one subject, the reasons that sum to it, and where it comes from."""

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
PROBABILITY_DIGITS = 8  # beyond these two machines' floating point may differ
_NOT_DIGESTED = ("uscc", "receipt")


@dataclass(frozen=True, slots=True)
class SubjectScore:
    """What a model says of one subject: its features (F,), and the numbers made of them."""

    features: NDArray[np.float64]
    probability: float
    points: float
    base_points: float
    contributions: NDArray[np.float64]
    grade: str


def stored_score(book: ActiveSnapshot, row: int) -> SubjectScore:
    """The stored line of the subject in `row`. Raises Broken when its grade is not one of the version's."""
    told, place = book.answers[row], int(book.answers[row]["grade"])
    if not 0 <= place < len(book.card.grades):
        raise Broken("compose.snapshot-names-grade-version-not")
    features = np.array(book.features[row], dtype=np.float64)
    contributions = np.array(told["contributions"], dtype=np.float64)
    numbers = float(told["probability"]), float(told["points"]), float(told["base_points"])
    return SubjectScore(features, *numbers, contributions, book.card.grades[place])


def compose(
    book: ActiveSnapshot, line: SubjectScore, *, score_id: str, mandate: str, purpose: str, valid_until: date
) -> dict[str, Any]:
    """The answer from `book` for the subject of `line`, as plain values, without the code and the receipt.

    Points are in whole hundredths, and `base_points` plus the reasons' points is exactly `points` in hundredths.
    Raises Broken when the snapshot's own numbers do not sum.
    """
    card, points, base = book.card, line.points, line.base_points
    if not abs(base + float(line.contributions.sum()) - points) < 1e-6:
        raise Broken("compose.snapshot-contributions-do-not-sum", snapshot=book.snapshot[:21])
    hits = card.rule_hits(line.features[None, :])[0]
    return {
        "score_id": score_id,
        "model": book.model,
        "default_probability": round(line.probability, PROBABILITY_DIGITS),
        "points": round(points * 100) / 100,
        "grade": line.grade,
        "grade4": line.grade[0],  # 四等 A 优 B 良 C 中 D 差; the nine refine them by + and -
        "base_points": round(base * 100) / 100,
        "reasons": [
            {
                "code": reason.feature,
                "title": reason.title,
                "zh": reason.zh,
                "en": reason.en,
                "direction": "raises" if reason.points > 0 else "lowers",  # the points, that is the standing
                "points": reason.points,
            }
            for reason in card.reasons(base, points, line.contributions)
            if reason.points
        ],
        "rules": [
            {"code": rule.feature, "grade": rule.grade, "zh": rule.zh, "en": rule.en}
            for rule, hit in zip(card.rules, hits, strict=True)
            if hit
        ],
        "missing": {
            "features": [card.names[index] for index in np.flatnonzero(np.isnan(line.features))],
            "policy": MISSING_POLICY,
        },
        "snapshot": {"id": book.snapshot, "as_of": book.as_of.isoformat()},
        "version": book.version,
        "release": book.release,
        "valid_until": valid_until.isoformat(),
        "purpose": purpose,
        "mandate": mandate,
        "notice": NOTICE,
    }


def answer_digest(answer: Mapping[str, Any]) -> str:
    """The digest that the ledger holds of an answer, for the bank to compare.

    The code is left out: whoever reads the ledger could otherwise try all codes and so undo the pseudonym beside it.
    """
    return digest_json({name: value for name, value in answer.items() if name not in _NOT_DIGESTED})
