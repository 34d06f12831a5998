"""A live score: computed in the request, with values that the bank supplies, for what it knows or for a trial
(what_if).

A supplied value replaces the snapshot's. `null` states that there is none; a feature without a value is missing,
under the policy that every answer states. The service stores no supplied value: the ledger records the digest of an
answer, and the answer contains a salted commitment (SHA-256) to the values. So the bank can have the answer computed
again to the last bit from its values, and a reader of the ledger cannot find them out.
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

OnFilled = Callable[[FilledResponse | None], None]  # receives the filled answer, or None when there is none


class CheckedRequest(NamedTuple):
    """A request that may be answered: its body, the subject under its mandate, and the template of the answer."""

    request: LiveRequest
    subject: AuthorisedSubject
    template: LiveTemplate
    layout: SuppliedLayout

    def row(self) -> NDArray[np.float64]:
        """The features (F,) to score."""
        return self.template.row(self.subject.row, self.layout, self.request.features)

    def fill(self, call: RequestContext, values: ScoreValues) -> FilledResponse:
        """The answer, without its receipt."""
        request, subject, salt = self.request, self.subject, secrets.token_hex(16)
        return self.template.fill(
            values,
            self.layout,
            kind=request.kind,
            salt=salt,
            commitment=self.layout.commitment(request.features, salt),
            score_id=call.id,
            uscc=subject.uscc,
            mandate=subject.mandate.id,
            purpose=subject.mandate.purpose,
            valid_until=subject.valid_until,
        )


def check_live(service: ScoringService, call: RequestContext, body: bytes) -> CheckedRequest:
    """Check that the request may be answered. Raises Malformed, and as `ScoringService.look_up`."""
    request = read_live_request(body)
    subject = service.look_up(call, request.uscc, request.purpose, request.mandate)
    template = service.live_templates.of(subject.snapshot)
    return CheckedRequest(request, subject, template, template.layout(request.features))


async def live(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """One subject's score with the supplied values. Raises Malformed, and as `ScoringService.look_up`."""
    checked = check_live(service, call, body)
    filled = checked.fill(call, await service.scorers.score(checked.subject.snapshot.version, checked.row()))
    details = {**call.details, "kind": checked.request.kind, "status": 200, "digest": filled.digest}
    entry = await service.ledger_writer.record(LIVE, call.id, by=call.by, details=details)
    return filled.whole(entry=entry.id, seq=entry.seq)


def begin_live(service: ScoringService, call: RequestContext, body: bytes) -> Callable[[OnFilled], None]:
    """The same for the fast path: check now, and score together with the other requests of this turn."""
    checked = check_live(service, call, body)
    row = checked.row()
    call.details["kind"] = checked.request.kind

    def submit(on_filled: OnFilled) -> None:
        def on_scored(scored: ScoreValues | Exception) -> None:
            try:
                on_filled(None if isinstance(scored, Exception) else checked.fill(call, scored))
            except CreditError:  # the ledger cannot be written
                on_filled(None)

        service.scorers.submit(checked.subject.snapshot.version, row, on_scored)

    return submit


def score_with(
    snapshot: ActiveSnapshot,
    scorer: Scorer,
    row: int,
    supplied: Mapping[str, float | None],
    kind: str,
    *,
    salt: str,
    score_id: str,
    mandate: str,
    purpose: str,
    valid_until: date,
) -> dict[str, Any]:
    """The answer without code and receipt, the same bits for the same arguments.

    `salt` (hex) goes into the commitment to the supplied values.
    """
    template = LiveTemplate.of(snapshot)
    score = line_with(scorer, template.row(row, template.layout(supplied), supplied))
    answer = compose(snapshot, score, score_id=score_id, mandate=mandate, purpose=purpose, valid_until=valid_until)
    answer["kind"] = kind
    answer["brought"] = {"features": sorted(supplied), "salt": salt, "commitment": commitment(supplied, salt)}
    if kind == "what_if":
        answer["notice"] = TRIAL_NOTICE
    return answer


def line_with(scorer: Scorer, features: NDArray[np.float64]) -> SubjectScore:
    """The score that the scorer computes of features (F,)."""
    scores = scorer.score(features[None, :])
    numbers = float(scores.probability[0]), float(scores.points[0]), scores.base_points
    return SubjectScore(features, *numbers, scores.point_contributions[0], scores.grades[0])
