"""Judging rows before they are sealed: the attack, on them alone and together with what was released before."""

from __future__ import annotations

import numpy as np

from credit.actor import Actor, Role
from credit.gate import Verdict
from credit.ledger import Ledger, LookUp
from credit.order_requests import ROWS
from models.rows.attack.run import attack
from models.rows.gate import RowsCase, rows_gate
from models.rows.maker import Prepared, Progress, RowsMaker
from models.rows.request import RowsRequest
from models.rows.shown import ShownRows

GATE = Actor("rows-gate", Role.SERVICE)


def judge(
    maker: RowsMaker, prepared: Prepared, shown: ShownRows, earlier: list[str], *, by: Actor, progress: Progress
) -> Verdict:
    """The verdict of the gate. ``earlier`` is the SQL of earlier rows that the author or the project had."""
    attacked = attack(maker, prepared, shown, earlier, by=by, progress=progress)
    case = RowsCase(
        shown,
        len(np.unique(shown.exact.subjects.astype(np.str_))),
        maker.policy.population,
        attacked.figures,
        attacked.together,
        len(earlier),
    )
    return rows_gate(maker.policy.thresholds).judge(case, requested_by=by, reviewer=GATE)


def earlier_requests(ledger: Ledger, request: RowsRequest, by: Actor, project: str) -> list[str]:
    """The SQL of all earlier rows of the author or the project, of the same kind and of any of the same days."""
    days, queries = {day.isoformat() for day in request.as_of}, dict[str, None]()
    for entry in ledger.find(LookUp(verb=ROWS.made)):
        if entry.by.name == by.name or entry.details.get("project") == project:
            made = entry.details["request"]
            if made["kind"] == request.kind and days & set(made["as_of"]):
                queries[str(made["sql"])] = None
    return list(queries)
