"""What tables are made with, and a request checked: its release, its kind of subjects, and its SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from credit.errors import Malformed, Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf
from models.distributed.ray_cluster import Tasks
from models.features.duckdb_engine import Limits
from models.order.order import Order
from models.tables.cells.of_rows import Cells, cells_of
from models.tables.cells.read_rows import WantedRows, read_rows
from models.tables.given_units import GivenUnits
from models.tables.policy import TablePolicy
from models.tables.request import TableRequest
from models.tables.table_sql import TablePlan, check_table

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class TableMaker:
    """What tables are made with. ``orders`` are the built-in orders by kind, which say who is active."""

    shelf: Shelf
    key: SigningKey
    ledger: Ledger
    given: GivenUnits
    policy: TablePolicy
    orders: Mapping[str, Order]
    tasks: Tasks
    limits: Limits

    def plan(self, request: TableRequest, release: OpenedSeal) -> TablePlan:
        """The checked SQL of a request; raises :class:`Malformed` or :class:`Refused` in words."""
        terms = release.seal.terms
        if release.seal.kind is not Kind.RELEASE or terms.get("purpose") != "research":
            raise Refused("rows.release-of-another-purpose", seal_short=release.seal.short)
        if request.as_of > (released := date.fromisoformat(terms["as_of"])):
            raise Malformed("rows.day-after-release", day=request.as_of, as_of=released)
        schema = {name: table["columns"] for name, table in terms["tables"].items()}
        register = self.orders[request.kind].population
        return check_table(request.sql, schema, population=register, columns_at_most=self.policy.columns_at_most)

    def cells(self, plan: TablePlan, request: TableRequest, release: OpenedSeal, progress: Progress) -> Cells:
        """The exact cells of a request, which never leave compute."""
        terms: dict[str, Any] = {name: release.seal.terms[name] for name in ("as_of", "buckets", "tables")}
        rows = read_rows(
            WantedRows(self.orders[request.kind].as_json(), plan.rows.sql, request.as_of),
            release.path,
            terms,
            map_buckets=lambda fn, buckets: self.tasks.map_tasks(
                fn, buckets, progress=lambda done, total: progress("computing the table", done, total)
            ),
            limits=self.limits,
        )
        return cells_of(plan, rows, self.given.key())
