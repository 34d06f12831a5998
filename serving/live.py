"""A score in the request, with values that the bank brings along: what it knows of its customer, or what would be if.

What is brought stands in the place of the snapshot's value; `null` says that there is none, and a feature that nobody
has is missing, by the policy every answer states. The service keeps none of the values: the ledger holds the digest of
an answer that holds a salted commitment (SHA-256) to them, so the bank can have the answer made again to the bit from
the values it brought, and nobody can find them out from the ledger.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.canonical import canonical, digest
from credit.errors import Malformed
from models.scorecard import Scorecard
from models.scorer import Scorer
from serving.answers import Line, compose
from serving.calls import LIVE, Call, Desk, Found
from serving.live_forms import AskLive, read_live, written
from serving.snapshots import Book

NOT_A_SCORE = {
    "zh": "假设情形的试算，不是该主体的评价结果。",
    "en": "A trial of what would be if; not a score of the subject.",
}


async def live(desk: Desk, call: Call, body: bytes) -> bytes:
    """One subject's score with what was brought. Raises Malformed, and as `Desk.look` does."""
    asked, found = check(desk, call, body)
    scorer = await desk.scorers.of(found.book.version)
    told = score_with(
        found.book, scorer, found.row, asked.features, asked.kind, score_id=call.id, mandate=found.mandate.id,
        purpose=found.mandate.purpose, valid_until=date.fromisoformat(found.until), salt=secrets.token_hex(16),
    )  # fmt: skip
    whole = written(told)
    because = {**call.because, "kind": asked.kind, "status": 200, "digest": digest(whole)}
    entry = await desk.recorder.record(LIVE, call.id, by=call.by, because=because)
    receipt = {"entry": entry.id, "seq": entry.seq, "digest": because["digest"]}
    # Where the two belong that the digest leaves out: inside a JSON string no quote stands bare.
    before, release, rest = whole.partition(b'"release":')
    between, until, after = rest.partition(b'"valid_until":')
    told_of = b'"receipt":%b,' % canonical(receipt), b'"uscc":%b,' % canonical(found.uscc)
    return b"".join((before, told_of[0], release, between, told_of[1], until, after))


def check(desk: Desk, call: Call, body: bytes) -> tuple[AskLive, Found]:
    """What is asked, and the subject's place. Raises Malformed, and as `Desk.look` does."""
    asked = read_live(body)
    found = desk.look(call, asked.uscc, asked.purpose, asked.mandate)
    columns_of(found.book.card, asked.features)
    return asked, found


def columns_of(card: Scorecard, brought: Mapping[str, float | None]) -> dict[int, float]:
    """What was brought by column, NaN for null. Raises Malformed for a name that the model has not, and names none."""
    places = {name: place for place, name in enumerate(card.names)}
    unknown = sum(name not in places for name in brought)
    if unknown:
        why = f"{unknown} of the features are not the model's"
        raise Malformed("These features cannot be scored", why=why, remedy="Name them as an answer's reasons do")
    return {places[name]: float("nan") if value is None else float(value) for name, value in brought.items()}


def score_with(
    book: Book, scorer: Scorer, row: int, brought: Mapping[str, float | None], kind: str, *, salt: str, score_id: str,
    mandate: str, purpose: str, valid_until: date,
) -> dict[str, Any]:  # fmt: skip
    """The answer without code and receipt, the same from the same to the bit; `salt` (hex) goes into the commitment."""
    features: NDArray[np.float64] = np.array(book.features[row], dtype=np.float64)
    for column, value in columns_of(book.card, brought).items():
        features[column] = value
    line = line_with(scorer, features)
    answer = compose(book, line, score_id=score_id, mandate=mandate, purpose=purpose, valid_until=valid_until)
    answer["kind"] = kind
    answer["brought"] = {"features": sorted(brought), "salt": salt, "commitment": commitment(brought, salt)}
    if kind == "what_if":
        answer["notice"] = NOT_A_SCORE
    return answer


def line_with(scorer: Scorer, features: NDArray[np.float64]) -> Line:
    """What the scorer says of features (F,)."""
    scores = scorer.score(features[None, :])
    numbers = float(scores.probability[0]), float(scores.points[0]), scores.base_points
    return Line(features, *numbers, scores.point_contributions[0], scores.grades[0])


def commitment(brought: Mapping[str, float | None], salt: str) -> str:
    """SHA-256 over the salt's bytes and the canonical JSON of the values as numbers with a point, in hex."""
    values = {name: None if value is None else float(value) for name, value in brought.items()}
    return hashlib.sha256(bytes.fromhex(salt) + canonical(values)).hexdigest()
