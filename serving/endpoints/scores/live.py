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
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from credit.errors import CreditError
from models.scoring.scorer import Scorer
from serving.core.request import LIVE, AuthorisedSubject, RequestContext
from serving.core.service import ScoringService
from serving.data.snapshot import ActiveSnapshot
from serving.responses.compose import TRIAL_NOTICE, SubjectScore, compose
from serving.responses.live_schemas import LiveRequest, commitment, read_live_request
from serving.responses.live_templates import LiveTemplate, SuppliedLayout
from serving.responses.response_templates import FilledResponse
from serving.responses.score_values import ScoreValues

OnFilled = Callable[[FilledResponse | None], None]  # who goes on with an answer, or does without


class CheckedRequest(NamedTuple):
    """A call that may be answered: what is asked, the subject's place, and what the answer is made of."""

    asked: LiveRequest
    found: AuthorisedSubject
    sheet: LiveTemplate
    named: SuppliedLayout

    def row(self) -> NDArray[np.float64]:
        """The features (F,) to score."""
        return self.sheet.row(self.found.row, self.named, self.asked.features)

    def fill(self, call: RequestContext, told: ScoreValues) -> FilledResponse:
        """The answer, still without its receipt."""
        asked, found, salt = self.asked, self.found, secrets.token_hex(16)
        return self.sheet.fill(
            told, self.named, kind=asked.kind, salt=salt, commitment=self.named.commitment(asked.features, salt),
            score_id=call.id, uscc=found.uscc, mandate=found.mandate.id, purpose=found.mandate.purpose,
            valid_until=found.valid_until,
        )  # fmt: skip


def check_live(service: ScoringService, call: RequestContext, body: bytes) -> CheckedRequest:
    """Whether the call may be answered. Raises Malformed, and as `ScoringService.look_up`."""
    asked = read_live_request(body)
    found = service.look_up(call, asked.uscc, asked.purpose, asked.mandate)
    sheet = service.live_templates.of(found.snapshot)
    return CheckedRequest(asked, found, sheet, sheet.layout(asked.features))


async def live(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """One subject's score with what was brought. Raises Malformed, and as `ScoringService.look_up`."""
    checked = check_live(service, call, body)
    filled = checked.fill(call, await service.scorers.score(checked.found.snapshot.version, checked.row()))
    details = {**call.details, "kind": checked.asked.kind, "status": 200, "digest": filled.digest}
    entry = await service.ledger_writer.record(LIVE, call.id, by=call.by, details=details)
    return filled.whole(entry=entry.id, seq=entry.seq)


def begin_live(service: ScoringService, call: RequestContext, body: bytes) -> Callable[[OnFilled], None]:
    """The same on the fast way: what is checked now, and then scored with all who ask at this moment."""
    checked = check_live(service, call, body)
    row = checked.row()
    call.details["kind"] = checked.asked.kind

    def go(then: OnFilled) -> None:
        def heard(told: ScoreValues | Exception) -> None:
            try:
                then(None if isinstance(told, Exception) else checked.fill(call, told))
            except CreditError:  # the ledger takes nothing
                then(None)

        service.scorers.submit(checked.found.snapshot.version, row, heard)

    return go


def score_with(
    book: ActiveSnapshot,
    scorer: Scorer,
    row: int,
    brought: Mapping[str, float | None],
    kind: str,
    *,
    salt: str,
    score_id: str,
    mandate: str,
    purpose: str,
    valid_until: date,
) -> dict[str, Any]:
    """The answer without code and receipt, the same from the same to the bit; `salt` (hex) goes into the commitment."""
    sheet = LiveTemplate.of(book)
    line = line_with(scorer, sheet.row(row, sheet.layout(brought), brought))
    answer = compose(book, line, score_id=score_id, mandate=mandate, purpose=purpose, valid_until=valid_until)
    answer["kind"] = kind
    answer["brought"] = {"features": sorted(brought), "salt": salt, "commitment": commitment(brought, salt)}
    if kind == "what_if":
        answer["notice"] = TRIAL_NOTICE
    return answer


def line_with(scorer: Scorer, features: NDArray[np.float64]) -> SubjectScore:
    """What the scorer says of features (F,)."""
    scores = scorer.score(features[None, :])
    numbers = float(scores.probability[0]), float(scores.points[0]), scores.base_points
    return SubjectScore(features, *numbers, scores.point_contributions[0], scores.grades[0])
