"""Making a table (汇总表): a request becomes a TABLE seal, by a gate that knows the units behind every cell.

One table is judged and entered in the ledger at a time, so that two that would isolate someone together are never both
given. A table counts as given when its ledger entry is written; a kill before that leaves nothing that anyone was
shown, and the next attempt is judged again.
"""

from __future__ import annotations

from datetime import date

from credit.actor import Actor
from credit.errors import Refused
from credit.gate import Verdict
from credit.seal import Seal
from credit.shelf import OpenedSeal
from models.tables.cells.of_rows import Cells, quantiles_by_too_few, values_of
from models.tables.cells.rounding import KeyedRounding
from models.tables.coarser import what_would_pass
from models.tables.differencing.isolation import EarlierUnits
from models.tables.differencing.suppression import Published, published
from models.tables.gate import TableCase, table_gate
from models.tables.maker import Progress, TableMaker
from models.tables.noisy.making import make_noisy_table
from models.tables.request import TableRequest
from models.tables.sealed_table import GATE, TableJob, sealed_table


def make_table(
    maker: TableMaker,
    request: TableRequest,
    release: OpenedSeal,
    *,
    project: str,
    by: Actor,
    today: date,
    progress: Progress,
    order: str = "",
) -> Seal:
    """The TABLE seal of a request, with the gate's verdict in its terms.

    Raises :class:`Refused` with the findings, and with what would pass, when the gate does not open. ``order`` is the
    id of the seal that job for it: the same order is made once.
    """
    release.seal.require_not_expired(today)
    plan = maker.plan(request, release)
    job = TableJob(maker, request.of_release(release.seal.id, plan.sql), release, plan, project, by, today, order)
    with maker.given.alone():
        if made_before := maker.given.of_order(order):
            return maker.shelf.open(made_before, deep=False).seal
        if maker.policy.noise:
            return make_noisy_table(job, progress)
        cells = maker.cells(plan, request, release, progress)
        if not cells.contents.count:
            raise Refused("tables.nobody")
        if cells.contents.count > maker.policy.cells_at_most:
            raise Refused("tables.too-many-cells", most=maker.policy.cells_at_most)
        shown, verdict = _verdict_on(maker, cells, by, project, progress)
        contents = maker.given.keep(cells.contents.where(shown.kept))
        rounding = KeyedRounding(maker.given.key(), maker.policy.count_base, maker.policy.digits)
        values = values_of(cells, shown.kept, rounding)
        suppressed = cells.contents.count - shown.count
        return sealed_table(job, cells, shown.kept, values, verdict, {"suppressed": suppressed}, {"contents": contents})


def _verdict_on(
    maker: TableMaker, cells: Cells, by: Actor, project: str, progress: Progress
) -> tuple[Published, Verdict]:
    given = [each.contents for each in maker.given.of(by.name, project, cells.rows.subjects)]
    earlier = EarlierUnits(given, cells.contents)
    few = quantiles_by_too_few(cells, maker.policy.quantile_units_at_least)
    shown = published(
        cells.contents, earlier, maker.policy, lambda done, total: progress("judging the units", done, total), few
    )
    case = TableCase(cells.contents, cells.labels, shown, earlier, len(given), maker.policy)
    verdict = table_gate(maker.policy).judge(case, requested_by=by, reviewer=GATE)
    if not verdict.passed:
        remedy = what_would_pass(cells, earlier, maker.policy)
        try:
            verdict.require()
        except Refused as error:
            raise Refused(
                "tables.gate-did-not-open", why=error.reason, findings=error.findings, remedy=remedy
            ) from None
    return shown, verdict
