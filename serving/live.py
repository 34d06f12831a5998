"""A score in the request, with values that the bank brings along: what it knows of its customer, or what would be if.

What is brought stands in the place of the snapshot's value; `null` says that there is none, and a feature that nobody
has is missing, by the policy every answer states. The service keeps none of the values: the ledger holds the digest of
an answer that holds a salted commitment (SHA-256) to them, so the bank can have the answer made again to the bit from
the values it brought, and nobody can find them out from the ledger.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import CreditError
from models.scorer import Scorer
from serving.answers import NOT_A_SCORE, Line, compose
from serving.calls import LIVE, Call, Desk, Found
from serving.live_forms import AskLive, commitment, read_live
from serving.live_sheets import LiveSheet
from serving.numbers import Told
from serving.sheets import Filled
from serving.snapshots import Book

Then = Callable[[Filled | None], None]  # who goes on with an answer, or does without


async def live(desk: Desk, call: Call, body: bytes) -> bytes:
    """One subject's score with what was brought. Raises Malformed, and as `Desk.look` does."""
    asked, found = check(desk, call, body)
    sheet = desk.live_sheets.of(found.book)
    told = await desk.scorers.told(found.book.version, sheet.row(found.row, asked.features))
    filled = _fill(sheet, call, asked, found, told)
    because = {**call.because, "kind": asked.kind, "status": 200, "digest": filled.digest}
    entry = await desk.recorder.record(LIVE, call.id, by=call.by, because=because)
    return filled.whole(entry=entry.id, seq=entry.seq)


def begin_live(desk: Desk, call: Call, body: bytes) -> Callable[[Then], None]:
    """The same on the fast way: what is checked now, and then scored with all who ask at this moment."""
    asked, found = check(desk, call, body)
    sheet = desk.live_sheets.of(found.book)
    row = sheet.row(found.row, asked.features)
    call.because["kind"] = asked.kind

    def go(then: Then) -> None:
        def heard(told: Told | Exception) -> None:
            try:
                then(None if isinstance(told, Exception) else _fill(sheet, call, asked, found, told))
            except CreditError:  # the ledger takes nothing
                then(None)

        desk.scorers.ask(found.book.version, row, heard)

    return go


def _fill(sheet: LiveSheet, call: Call, asked: AskLive, found: Found, told: Told) -> Filled:
    salt = secrets.token_hex(16)
    return sheet.fill(
        told, asked.features, kind=asked.kind, salt=salt, commitment=commitment(asked.features, salt),
        score_id=call.id, uscc=found.uscc, mandate=found.mandate.id, purpose=found.mandate.purpose,
        valid_until=found.until,
    )  # fmt: skip


def check(desk: Desk, call: Call, body: bytes) -> tuple[AskLive, Found]:
    """What is asked, and the subject's place. Raises Malformed, and as `Desk.look` does."""
    asked = read_live(body)
    found = desk.look(call, asked.uscc, asked.purpose, asked.mandate)
    desk.live_sheets.of(found.book).named(asked.features)
    return asked, found


def score_with(
    book: Book, scorer: Scorer, row: int, brought: Mapping[str, float | None], kind: str, *, salt: str, score_id: str,
    mandate: str, purpose: str, valid_until: date,
) -> dict[str, Any]:  # fmt: skip
    """The answer without code and receipt, the same from the same to the bit; `salt` (hex) goes into the commitment."""
    line = line_with(scorer, LiveSheet.of(book).row(row, brought))
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
