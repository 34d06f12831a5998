"""Making a table (汇总表): a request becomes a TABLE seal, by a gate that knows the units behind every cell.

One table is judged and entered in the ledger at a time, so that two that would isolate someone together are never both
given. A table counts as given when its ledger entry is written; a kill before that leaves nothing that anyone was
shown, and the next attempt is judged again.
"""

from __future__ import annotations

from datetime import date, timedelta

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.gate import Verdict
from credit.order_requests import TABLE
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal
from models.tables import table_file
from models.tables.cells.of_rows import Cells, quantiles_by_too_few
from models.tables.cells.rounding import KeyedRounding
from models.tables.coarser import what_would_pass
from models.tables.differencing.isolation import EarlierUnits
from models.tables.differencing.suppression import Published, published
from models.tables.gate import TableCase, table_gate
from models.tables.maker import Progress, TableMaker
from models.tables.request import TableRequest

GATE = Actor("table-gate", Role.SERVICE)
BY_POLICY = "policy"  # who approved that a table leaves, when no reviewer did


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
    id of the seal that asked for it: the same order is made once.
    """
    release.seal.require_not_expired(today)
    plan = maker.plan(request, release)
    with maker.given.alone():
        if made_before := maker.given.of_order(order):
            return maker.shelf.open(made_before, deep=False).seal
        cells = maker.cells(plan, request, release, progress)
        shown, verdict = _verdict_on(maker, cells, by, project, progress)
        contents = maker.given.keep(cells.contents.where(shown.kept))
        request = request.of_release(release.seal.id, plan.sql)
        policy = maker.policy
        with maker.shelf.staging() as folder:
            rounding = KeyedRounding(maker.given.key(), policy.count_base, policy.digits)
            rows = table_file.write(folder, cells, shown.kept, rounding)
            terms = {
                "author": by.name,
                "project": project,
                "request": request.as_json(),
                "columns": {"groups": list(plan.groups), "statistics": [each.name for each in plan.measures]},
                "rows": rows,
                "suppressed": cells.contents.count - rows,
                "verdict": verdict.as_json(),
                "approved_by": BY_POLICY if policy.leaves_without_reviewer else "",
                "invented": bool(release.seal.terms.get("invented", False)),
            }
            seal = maker.shelf.put(
                folder,
                Kind.TABLE,
                parents=(order or release.seal.id,),
                terms=terms,
                expires_on=min(release.seal.expires_on, today + timedelta(days=policy.expires_after_days)),
                by=by,
                key=maker.key,
            )
        details = {"order": order, "project": project, "contents": contents, "rows": rows}
        details |= {"request": request.as_json(), "verdict": terms["verdict"], "approved_by": terms["approved_by"]}
        maker.ledger.append(TABLE.made, seal.id, by=by, details=details)
    return seal


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
