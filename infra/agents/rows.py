"""What compute makes rows with, and the attack on rows that were released."""

from __future__ import annotations

import json
import threading
from datetime import date
from functools import partial
from typing import Any

from credit.actor import Actor
from credit.errors import CreditError, Malformed
from credit.order_requests import ROWS
from credit.requests.task import Task
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal
from infra.agents.compute_zone import Compute
from infra.agents.orders_of_research import arguments_of_order, make_for_notebooks, order_of_research
from models.distributed.ray_cluster import Tasks, in_process
from models.order.order import SUBJECT_KINDS, built_in
from models.rows.attack.attackers import RECORDS
from models.rows.attack.run import attack
from models.rows.make import make_rows
from models.rows.maker import Progress, RowsMaker
from models.rows.partition.stored import PartitionStore
from models.rows.partition.weights import split_gains
from models.rows.policy import load_policy
from models.rows.request import FILE, RowsRequest

MOST_RECORDS = 50


def rows_maker(compute: Compute, tasks: Tasks) -> RowsMaker:
    """The maker of rows of this zone; raises :class:`Malformed` when the settings name no folder of partitions."""
    if compute.settings.partitions is None:
        raise Malformed("worker-loop.setting-missing", prefix="HAIHE_COMPUTE_", missing="PARTITIONS")
    return RowsMaker(
        compute.shelf,
        compute.key,
        compute.ledger,
        PartitionStore(compute.settings.partitions, compute.ledger),
        load_policy(),
        {kind: built_in(kind) for kind in SUBJECT_KINDS},
        {kind: _gains(compute, kind) for kind in SUBJECT_KINDS},
        tasks,
        compute.settings.limits,
    )


def made_rows(compute: Compute, task: Task) -> dict[str, Any]:
    """The rows of the order that research placed in the step before."""
    order, here = order_of_research(compute, task)
    with compute.tasks(task, here=here) as tasks:
        seal = rows_of_order(rows_maker(compute, tasks), order, task.by, task.today, task.report)
    return {"rows": seal.id, "count": seal.terms["rows"], "verdict": seal.terms["verdict"]}


def make_rows_of_notebooks(compute: Compute, end: threading.Event) -> None:
    """Make the rows that notebooks request, until the event is set."""
    make_for_notebooks(compute, ROWS, partial(rows_of_order, rows_maker(compute, in_process())), end)


def rows_of_order(maker: RowsMaker, order: OpenedSeal, by: Actor, today: date, progress: Progress) -> Seal:
    """The rows that an order asks for."""
    request = RowsRequest.parse(json.loads((order.path / FILE).read_bytes()))
    return make_rows(maker, request, **arguments_of_order(maker.shelf, order, by, today, progress))


def attack_figures(compute: Compute, tasks: Tasks, task: Task) -> dict[str, Any]:
    """The figures by attacker on the rows of a seal, computed again from its request; of a sample, on all of it.

    Raises :class:`Malformed` for a seal of another kind and for a number of records that is out of range.
    """
    seal = compute.shelf.open(str(task.arguments["seal"])).seal
    if seal.kind is not Kind.ROWS:
        raise Malformed("rows.not-rows", seal_short=seal.short, kind=seal.kind.text)
    known = task.arguments.get("known")
    if known is not None and (not isinstance(known, int) or not 0 < known <= MOST_RECORDS):
        raise Malformed("rows.known-out-of-range", most=MOST_RECORDS)
    maker = rows_maker(compute, tasks)
    request = RowsRequest.parse({**seal.terms["request"], "sample": None})
    prepared = maker.prepare(request, compute.shelf.open(request.release))
    shown, _ = maker.shown(prepared, task.by, task.report)
    records = RECORDS if known is None else (known,)
    attacked = attack(maker, prepared, shown, [], by=task.by, progress=task.report, records=records)
    return {"seal": seal.id, "rows": len(shown), "figures": {k: v.as_json() for k, v in attacked.figures.items()}}


def _gains(compute: Compute, kind: str) -> dict[str, float]:
    """The gains of the champion of a kind; none before there is one."""
    try:
        text = (compute.champion(kind).path / "model.txt").read_text(encoding="utf-8")
    except CreditError:
        return {}
    return split_gains(text)
