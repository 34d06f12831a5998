"""A live score: computed in the request, with values that the bank supplies, for what it knows or for a trial
(what_if).

A bank states market features and its own; what public records give comes from the records. A supplied value replaces
the snapshot's. `null` states that there is none; a feature without a value is missing,
under the policy that every answer states. The service stores no supplied value: the ledger records the digest of an
answer, and the answer contains a salted commitment (SHA-256) to the values. So the bank can have the answer computed
again to the last bit from its values, and a reader of the ledger cannot find them out.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from models.scoring.scorer import Scorer
from serving.core.request import LIVE, AuthorisedSubject, RequestContext, ResumedRequest
from serving.core.service import ScoringService
from serving.data.snapshot import ActiveSnapshot
from serving.endpoints.scores.stated_features import count_live_score, require_statable
from serving.responses.compose import TRIAL_NOTICE, SubjectScore, compose
from serving.responses.live_schemas import LiveRequest, ReasonForm, commitment, read_live_request
from serving.responses.live_templates import LiveTemplate, SuppliedLayout
from serving.responses.response_templates import FilledResponse
from serving.responses.score_values import ScoreValues


class CheckedRequest(NamedTuple):
    """A request that may be answered: its body, the subject under its mandate, and the template of the answer."""

    request: LiveRequest
    subject: AuthorisedSubject
    template: LiveTemplate
    layout: SuppliedLayout

    def row(self) -> NDArray[np.float64]:
        """The features (F,) to score."""
        return self.template.row(self.subject.row, self.layout, self.request.features)

    def fill(self, call: RequestContext, values: ScoreValues, reason_form: ReasonForm, salt: str) -> FilledResponse:
        """The answer, without its receipt."""
        request, subject = self.request, self.subject
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
            reason_form=reason_form,
        )


def check_live(service: ScoringService, call: RequestContext, body: bytes) -> CheckedRequest:
    """Check that the request may be answered. Raises Malformed, and as `ScoringService.look_up`."""
    request = read_live_request(body)
    subject = service.look_up(call, request.uscc, request.purpose, request.mandate)
    require_statable(subject.snapshot, request.features)
    template = service.live_templates.of(subject.snapshot)
    return CheckedRequest(request, subject, template, template.layout(request.features))


async def live(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """One subject's score with the supplied values. Raises Malformed, TooMany, and as `ScoringService.look_up`."""
    checked = check_live(service, call, body)
    kind, reason_form = checked.request.kind, _reason_form(service, checked.request.kind)
    if not isinstance(call, ResumedRequest):  # what is given again was counted before
        await count_live_score(service, call, checked.subject, kind)
    values = await service.scorers.score(checked.subject.snapshot.version, checked.row())
    call.details |= {"kind": kind, "reasons": reason_form}
    salt = (call.salt if isinstance(call, ResumedRequest) else None) or secrets.token_hex(16)
    filled = checked.fill(call, values, reason_form, salt)
    return await service.record_filled(LIVE, call, filled, salt)


def _reason_form(service: ScoringService, kind: str) -> ReasonForm:
    """How the reasons are given: 250 live scores with reasons in points copy a model (Spearman .98)."""
    reason_form = cast(ReasonForm, service.settings.live_reasons)
    return "ranks" if kind == "what_if" and reason_form == "points" else reason_form


def score_with(
    snapshot: ActiveSnapshot,
    scorer: Scorer,
    row: int,
    supplied: Mapping[str, float | None],
    kind: str,
    *,
    reason_form: ReasonForm = "points",
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
    if reason_form == "none":
        answer["reasons"] = []
    elif reason_form == "ranks":
        answer["reasons"] = [_ranked(rank, reason) for rank, reason in enumerate(answer["reasons"], 1)]
    answer["kind"] = kind
    answer["brought"] = {"features": sorted(supplied), "salt": salt, "commitment": commitment(supplied, salt)}
    if kind == "what_if":
        answer["notice"] = TRIAL_NOTICE
    return answer


def _ranked(rank: int, reason: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in reason.items() if name != "points"}, "rank": rank}


def line_with(scorer: Scorer, features: NDArray[np.float64]) -> SubjectScore:
    """The score that the scorer computes of features (F,)."""
    scores = scorer.score(features[None, :])
    numbers = float(scores.probability[0]), float(scores.points[0]), scores.base_points
    return SubjectScore(features, *numbers, scores.point_contributions[0], scores.grades[0])
