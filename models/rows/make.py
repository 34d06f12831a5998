"""Making rows (特征行): a request becomes a ROWS seal, by a gate that the attack on it is part of.

The exact rows are computed over the records and made alike in the groups of the day's partition; then they are
attacked, shuffled, given new random keys, and sealed. Keys and order are drawn for each release alone and kept nowhere.
"""

from __future__ import annotations

from datetime import date, timedelta

from credit.actor import Actor
from credit.errors import Refused
from credit.gate import Verdict
from credit.ledger import LookUp
from credit.order_requests import ROWS
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal
from models.rows import rows_file, what_would_pass
from models.rows.judging import earlier_requests, judge
from models.rows.maker import Prepared, Progress, RowsMaker
from models.rows.request import RowsRequest
from models.rows.shown import ShownRows


def make_rows(
    maker: RowsMaker,
    request: RowsRequest,
    release: OpenedSeal,
    *,
    project: str,
    by: Actor,
    today: date,
    progress: Progress,
    order: str = "",
) -> Seal:
    """The ROWS seal of a request, with the gate's verdict in its terms.

    Raises :class:`Refused` with the findings, and with what would pass, when the gate does not open; and when lineage
    cannot be followed, a label is not permitted, or a day's outcome was not known yet. ``order`` is the id of the seal
    that asked for it: the same order is made once.
    """
    release.seal.require_not_expired(today)
    if order and (made_before := made_of(maker, order)) is not None:
        return made_before  # begun again after it was done
    prepared = maker.prepare(request, release)
    shown, left_out = maker.shown(prepared, by, progress)
    earlier = earlier_requests(maker.ledger, request, by, project)
    verdict = judge(maker, prepared, shown, earlier, by=by, progress=progress)
    if not verdict.passed:
        _refuse(verdict, maker, prepared, shown, by, progress)
    progress("sealing the rows", 0, 1)
    made = prepared.request.as_json()
    with maker.shelf.staging() as folder:
        rows_file.write(folder, shown, labelled=bool(prepared.request.label))
        terms = {
            "author": by.name,
            "project": project,
            "as_of": made["as_of"],
            "population": made["population"],
            "label": made["label"],
            "sample": made["sample"],
            "rows": len(shown),
            "left_out": left_out,
            "request": made,
            "columns": {
                name: {"exposure": str(each.exposure), "tables": sorted(each.tables)}
                for name, each in sorted(prepared.columns.items())
            },
            "verdict": verdict.as_json(),
            "invented": bool(release.seal.terms.get("invented", False)),
        }
        seal = maker.shelf.put(
            folder,
            Kind.ROWS,
            parents=(order or release.seal.id,),
            terms=terms,
            expires_on=min(release.seal.expires_on, today + timedelta(days=maker.policy.expires_after_days)),
            by=by,
            key=maker.key,
        )
    details = {"order": order, "project": project, "request": made, "rows": len(shown), "verdict": terms["verdict"]}
    maker.ledger.append(ROWS.made, seal.id, by=by, details=details)
    progress("sealing the rows", 1, 1)
    return seal


def made_of(maker: RowsMaker, order: str) -> Seal | None:
    """The rows that were made of an order, or None."""
    for entry in maker.ledger.find(LookUp(verb=ROWS.made)):
        if entry.details.get("order") == order:
            return maker.shelf.open(entry.object, deep=False).seal
    return None


def _refuse(
    verdict: Verdict, maker: RowsMaker, prepared: Prepared, shown: ShownRows, by: Actor, progress: Progress
) -> None:
    remedy = what_would_pass.search(maker, prepared, shown, by=by, progress=progress)
    try:
        verdict.require()
    except Refused as error:
        raise Refused("rows.gate-did-not-open", why=error.reason, findings=error.findings, remedy=remedy) from None
