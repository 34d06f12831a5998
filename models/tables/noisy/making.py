"""Making a table with noise: first its loss is entered in the budget, then it is drawn, once for each question."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Refused
from credit.gate import Finding, Gate
from credit.ledger import LookUp
from credit.messages import Text
from credit.order_requests import TABLE
from credit.seal import Seal
from models.noise.budget import Bounds, Loss, NoiseBudget
from models.tables.gate import finding_of, identifying_labels
from models.tables.maker import Progress
from models.tables.noisy.drawing import loss_of, noisy_table, require_noise_can_be_added
from models.tables.policy import TablePolicy
from models.tables.sealed_table import GATE, TableJob, enter, sealed_table


@dataclass(frozen=True, slots=True)
class NoisyCase:
    """A noisy table before the gate: the labels of its cells, which of these it shows, and what the budget says."""

    labels: list[tuple[str | None, ...]]
    kept: NDArray[np.bool_]
    budget: Mapping[str, float]

    @property
    def rows(self) -> int:
        """The number of cells that are shown."""
        return int(self.kept.sum())


def size(case: NoisyCase, thresholds: Mapping[str, Any]) -> Finding:
    """There is something to publish, and not too much."""
    right, most = 0 < case.rows <= thresholds["cells_at_most"], thresholds["cells_at_most"]
    return finding_of("size", right, Text.of("noise.size", rows=case.rows, most=most), {"published": case.rows})


def budget(case: NoisyCase, thresholds: Mapping[str, Any]) -> Finding:
    """What the table cost, and what is left; without room for it nothing was drawn."""
    epsilon, delta = thresholds["noise_epsilon"], thresholds["noise_delta"]
    evidence = {"epsilon": epsilon, "delta": delta, **case.budget}
    left = min(case.budget["left_author"], case.budget["left_project"])
    return finding_of("budget", True, Text.of("noise.cost", epsilon=f"{epsilon:g}", left=f"{left:g}"), evidence)


def labels(case: NoisyCase, thresholds: Mapping[str, Any]) -> Finding:
    """No label of a group is a pseudonym, a code, an identity number or a telephone number."""
    return identifying_labels(case.labels, case.kept)


CHECKS = (size, budget, labels)


def make_noisy_table(job: TableJob, progress: Progress) -> Seal:
    """The TABLE seal of a request, drawn with noise. The same question of the same author and project is answered by
    the same table, at no cost. Raises :class:`Malformed` for what cannot be drawn, :class:`Refused` when the budget is
    spent or nothing can be shown."""
    maker, policy, at_most = job.maker, job.maker.policy, job.request.at_most
    require_noise_can_be_added(job.plan, at_most)
    if (earlier := _earlier(job)) is not None:
        enter(job, earlier, {"noise": earlier.terms["noise"]})
        return earlier
    question = job.order or f"table-{secrets.token_hex(16)}"
    left = NoiseBudget(maker.ledger, bounds_of(policy)).spend(
        question, loss_of(policy), project=job.project, by=job.by, today=job.today
    )
    cells = maker.cells(job.plan, job.request, job.release, progress)
    drawn = noisy_table(cells, at_most, policy, maker.given.key())
    case = NoisyCase(cells.labels, drawn.kept, left)
    verdict = Gate("table", CHECKS, policy.thresholds).judge(case, requested_by=job.by, reviewer=GATE)
    try:
        verdict.require()
    except Refused as error:
        remedy = Text.of("noise.coarser")
        raise Refused("tables.gate-did-not-open", why=error.reason, findings=error.findings, remedy=remedy) from None
    noise = {
        "epsilon": policy.noise_epsilon,
        "delta": policy.noise_delta,
        "groups_of_subject": policy.noise_groups_of_subject,
        "rows_of_subject": policy.noise_rows_of_subject,
    }
    # How many groups the noise left out would be a number without noise, so it is said of no table.
    return sealed_table(
        job, cells, drawn.kept, drawn.columns, verdict, {"suppressed": 0, "noise": noise}, {"noise": noise}
    )


def bounds_of(policy: TablePolicy) -> Bounds:
    """The bounds of the budget of tables; the probability grows as the loss does."""
    share = policy.noise_delta / policy.noise_epsilon
    each, everyone = policy.noise_epsilon_each, policy.noise_epsilon_everyone
    return Bounds(Loss(each, share * each), Loss(everyone, share * everyone), policy.noise_days)


def _earlier(job: TableJob) -> Seal | None:
    """The table with which this author and project were answered the same question."""
    wanted = job.request.as_json()
    for entry in job.maker.ledger.find(LookUp(verb=TABLE.made, by=str(job.by))):
        same = entry.details["project"] == job.project and entry.details["request"] == wanted
        if same and "noise" in entry.details:
            seal = job.maker.shelf.open(entry.object, deep=False).seal
            if seal.expires_on >= job.today:
                return seal
    return None
