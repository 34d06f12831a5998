"""What compute makes tables with."""

from __future__ import annotations

import json
import threading
from datetime import date
from functools import partial
from typing import Any

from credit.actor import Actor
from credit.order_requests import TABLE
from credit.requests.task import Task
from credit.seal import Seal
from credit.shelf import OpenedSeal
from infra.agents.compute_zone import Compute
from infra.agents.orders_of_research import arguments_of_order, make_for_notebooks, order_of_research
from models.dataset.order_sets import given_units
from models.distributed.ray_cluster import Tasks, in_process
from models.order.order import SUBJECT_KINDS, built_in
from models.tables.make import make_table
from models.tables.maker import Progress, TableMaker
from models.tables.policy import SHIPPED, load_table_policy
from models.tables.request import FILE, TableRequest
from models.tables.table_file import read_columns


def table_maker(compute: Compute, tasks: Tasks) -> TableMaker:
    """The maker of tables of this zone; raises :class:`Malformed` when the settings name no folder of tables, or a
    policy that cannot be used."""
    return TableMaker(
        compute.shelf,
        compute.key,
        compute.ledger,
        given_units(compute.settings, compute.ledger),
        load_table_policy(compute.settings.table_policy or SHIPPED),
        {kind: built_in(kind) for kind in SUBJECT_KINDS},
        tasks,
        compute.settings.limits,
    )


def made_table(compute: Compute, task: Task) -> dict[str, Any]:
    """The table of the order that research placed in the step before, with its columns."""
    order, here = order_of_research(compute, task)
    with compute.tasks(task, here=here) as tasks:
        seal = table_of_order(table_maker(compute, tasks), order, task.by, task.today, task.report)
    made = {name: seal.terms[name] for name in ("suppressed", "verdict")} | {"noise": seal.terms.get("noise", {})}
    columns = read_columns(compute.shelf.open(seal.id).path)
    named = [{"name": name, "values": values} for name, values in columns.items()]  # in their order
    return made | {"table": seal.id, "count": seal.terms["rows"], "columns": named}


def make_tables_of_notebooks(compute: Compute, end: threading.Event) -> None:
    """Make the tables that notebooks request, until the event is set."""
    make_for_notebooks(compute, TABLE, partial(table_of_order, table_maker(compute, in_process())), end)


def table_of_order(maker: TableMaker, order: OpenedSeal, by: Actor, today: date, progress: Progress) -> Seal:
    """The table that an order asks for."""
    request = TableRequest.parse(json.loads((order.path / FILE).read_bytes()))
    return make_table(maker, request, **arguments_of_order(maker.shelf, order, by, today, progress))
