"""A judged table becomes a TABLE seal with the verdict in its terms, and an entry in compute's ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from numpy.typing import NDArray

from credit.actor import Actor, Role
from credit.gate import Verdict
from credit.order_requests import TABLE
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal
from models.tables import table_file
from models.tables.cells.of_rows import Cells
from models.tables.maker import TableMaker
from models.tables.request import TableRequest
from models.tables.table_sql import TablePlan

GATE = Actor("table-gate", Role.SERVICE)
BY_POLICY = "policy"  # who approved that a table leaves, when no reviewer did


@dataclass(frozen=True, slots=True)
class TableJob:
    """A request as it is carried out: by whom, for which project, on which release; ``order`` is the seal it is of."""

    maker: TableMaker
    request: TableRequest
    release: OpenedSeal
    plan: TablePlan
    project: str
    by: Actor
    today: date
    order: str


def sealed_table(
    job: TableJob,
    cells: Cells,
    kept: NDArray[Any],
    values: Mapping[str, list[float | None]],
    verdict: Verdict,
    more_terms: Mapping[str, Any],
    more_details: Mapping[str, Any],
) -> Seal:
    """The seal of the cells that are kept (C,) with their values; ``more_details`` go into the ledger's entry."""
    maker, release, policy = job.maker, job.release, job.maker.policy
    with maker.shelf.staging() as folder:
        rows = table_file.write(folder, cells, kept, values)
        terms = {
            "author": job.by.name,
            "project": job.project,
            "request": job.request.as_json(),
            "columns": {"groups": list(job.plan.groups), "statistics": [each.name for each in job.plan.measures]},
            "rows": rows,
            "verdict": verdict.as_json(),
            "approved_by": BY_POLICY if policy.leaves_without_reviewer else "",
            "invented": bool(release.seal.terms.get("invented", False)),
            **more_terms,
        }
        seal = maker.shelf.put(
            folder,
            Kind.TABLE,
            parents=(job.order or release.seal.id,),
            terms=terms,
            expires_on=min(release.seal.expires_on, job.today + timedelta(days=policy.expires_after_days)),
            by=job.by,
            key=maker.key,
        )
    enter(job, seal, more_details)
    return seal


def enter(job: TableJob, seal: Seal, more_details: Mapping[str, Any]) -> None:
    """The ledger's entry of a table that is about to be given."""
    details = {"order": job.order, "project": job.project, "rows": seal.terms["rows"], **more_details}
    details |= {name: seal.terms[name] for name in ("request", "verdict", "approved_by")}
    job.maker.ledger.append(TABLE.made, seal.id, by=job.by, details=details)
