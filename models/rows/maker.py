"""From a request to shown rows: check it, compute exact rows, get each day's partition, make them alike."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from credit.actor import Actor
from credit.catalogue import Catalogue
from credit.errors import Malformed, Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf
from models.distributed.ray_cluster import Tasks
from models.features.duckdb_engine import Limits
from models.features.feature_sql import check
from models.features.observations import settled_days
from models.lineage.exposure import ExposedColumn, catalogue_of, exposed_columns
from models.order.order import Order
from models.rows import partitions_of_days
from models.rows.observed import ExactRows, Observed, observe
from models.rows.partition.mondrian import mondrian
from models.rows.partition.stored import Partition, PartitionStore
from models.rows.partitions_of_days import Partitioner
from models.rows.policy import RowsPolicy
from models.rows.population import check_population, chosen_by
from models.rows.request import RowsRequest
from models.rows.shown import ShownRows, sampled_groups, shown_rows, whole_groups

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked request: its release, the built-in order of its kind, the catalogue, and its columns' lineage."""

    request: RowsRequest
    release: OpenedSeal
    order: Order
    catalogue: Catalogue
    columns: Mapping[str, ExposedColumn]


@dataclass(frozen=True, slots=True)
class RowsMaker:
    """What rows are made with. ``orders`` are the built-in orders by kind, ``gains`` the champions' by kind."""

    shelf: Shelf
    key: SigningKey
    ledger: Ledger
    partitions: PartitionStore
    policy: RowsPolicy
    orders: Mapping[str, Order]
    gains: Mapping[str, dict[str, float]]
    tasks: Tasks
    limits: Limits
    partitioner: Partitioner = mondrian
    catalogue: Catalogue | None = None  # None: the one that the release names

    def prepare(self, request: RowsRequest, release: OpenedSeal) -> Prepared:
        """The request on a release, checked; raises :class:`Malformed` or :class:`Refused` in words."""
        terms, order = release.seal.terms, self.orders[request.kind]
        if release.seal.kind is not Kind.RELEASE or terms.get("purpose") != "research":
            raise Refused("rows.release-of-another-purpose", seal_short=release.seal.short)
        released = date.fromisoformat(terms["as_of"])
        if late := [day for day in request.as_of if day > released]:
            raise Malformed("rows.day-after-release", day=late[0], as_of=released)
        if request.label and request.label not in self.policy.labels:
            raise Refused("rows.label-not-permitted", label=request.label)
        if request.label:
            settled = settled_days(order, request.as_of, released)
            if open_days := [day for day in request.as_of if day not in settled]:
                raise Refused("rows.outcome-not-known", day=open_days[0], months=order.label.window_months)
        schema = {name: table["columns"] for name, table in terms["tables"].items()}
        query = check(request.sql, schema, population=order.population)
        catalogue = self.catalogue or catalogue_of(terms)
        columns = exposed_columns(query.sql, catalogue, on_request=self.policy.on_request)
        if not columns:
            raise Malformed("rows.no-column")
        if request.population:
            check_population(request.population, columns)
        return Prepared(request.of_release(release.seal.id, query.sql), release, order, catalogue, columns)

    def exact(self, prepared: Prepared, request: RowsRequest, progress: Progress, step: str) -> ExactRows:
        """The exact rows of a request's SQL, on its days."""
        return self.observed(
            prepared,
            Observed(prepared.order.as_json(), request.sql, request.as_of, labelled=bool(request.label)),
            progress,
            step,
        )

    def observed(
        self, prepared: Prepared, wanted: Observed, progress: Progress, step: str, buckets: list[int] | None = None
    ) -> ExactRows:
        """The exact rows of what is observed on the release of a request, of these buckets or all."""
        return observe(
            wanted,
            prepared.release.path,
            _plain(prepared.release),
            map_buckets=lambda fn, numbers: self.tasks.map_tasks(
                fn, numbers, progress=lambda done, total: progress(step, done, total)
            ),
            limits=self.limits,
            buckets=buckets,
        )

    def partition_of_days(self, prepared: Prepared, by: Actor, progress: Progress) -> dict[date, Partition]:
        """The partition of each day of a request: the kept one, or a new one."""
        request = prepared.request
        partitions = partitions_of_days.kept(self.partitions, request.kind, request.as_of, self.policy)
        if missing := tuple(day for day in request.as_of if day not in partitions):
            schema = {name: table["columns"] for name, table in prepared.release.seal.terms["tables"].items()}
            sql = check(prepared.order.sql, schema, population=prepared.order.population).sql
            built_in = exposed_columns(sql, prepared.catalogue, on_request=self.policy.on_request)
            recipe = partitions_of_days.PartitionRecipe(
                self.policy,
                built_in,
                dict(self.gains.get(request.kind, {})),
                prepared.release.seal.id,
                self.partitioner,
            )
            built = replace(request, sql=sql, as_of=missing, label="")
            rows = self.exact(prepared, built, progress, "making the partition")
            partitions |= partitions_of_days.keep_new(self.partitions, request.kind, rows, missing, recipe, by=by)
        return partitions

    def shown(self, prepared: Prepared, by: Actor, progress: Progress) -> tuple[ShownRows, int]:
        """The rows as they are shown, and how many rows are left out; raises :class:`Refused` when none is left."""
        request = prepared.request
        partitions = self.partition_of_days(prepared, by, progress)
        exact = self.exact(prepared, request, progress, "computing features")
        shown, left_out = shown_rows(exact, prepared.columns, partitions, self.policy.k)
        if request.population:
            shown = whole_groups(shown, chosen_by(request.population, shown, prepared.columns))
        if request.sample is not None:
            shown = sampled_groups(shown, request.sample, secrets.randbits(64))
        if not len(shown):
            raise Refused("rows.nobody")
        return shown, left_out


def _plain(release: OpenedSeal) -> dict[str, Any]:
    return {name: release.seal.terms[name] for name in ("as_of", "buckets", "tables")}
