"""Rows that a notebook requested are made once; what fails says why, and is tried again when it is requested again."""

from __future__ import annotations

import json
import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from credit.actor import Actor, Role
from credit.errors import Malformed, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.order_requests import ROWS, OrderRequest, OrderResult
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal
from infra.agents.rows import rows_of_order
from lab.projects import Project
from lab.request_placement import place_request
from models.rows.request import RowsRequest
from models.settings import ComputeSettings
from models.worker.order_loop import OrderWorker, Progress
from tests.models.rows.rows_world import ALICE, DAY, SQL, TODAY, RowsWorld

TABLES = ("registration", "administrative_penalty", "loan_performance")
LOANS = Project("loans", "t", "p", date(2027, 1, 1), ("alice",), TABLES)


class Notebook:
    """Alice's project, and compute's worker, which reads its requests."""

    def __init__(self, root: Path, keys: dict[str, SigningKey], ring: KeyRing) -> None:
        self.world = RowsWorld(root, keys, ring, subjects=150)
        self.research = Ledger(root / "research.jsonl", keys["research"], ring, "research")
        settings = ComputeSettings(
            root / "shelf", root, root, root, "", runs=root, research_ledger=root / "research.jsonl", today=TODAY
        )

        def make(request: OrderRequest, order: OpenedSeal, progress: Progress) -> Seal:
            return rows_of_order(self.world.maker, order, request.by, TODAY, progress)

        ledger = self.world.maker.ledger
        self.worker = OrderWorker.open(settings, ROWS, make, self.world.shelf, ledger, threading.Event())
        self.keys, self.root = keys, root

    def place(self, project: Project = LOANS, by: Actor = ALICE, **changes: Any) -> Seal:
        wanted = RowsRequest.parse({"kind": "enterprise", "sql": SQL, "as_of": [DAY.isoformat()], **changes})
        order = place_request(
            wanted,
            project,
            release=self.world.release,
            shelf=self.world.shelf,
            key=self.keys["research"],
            by=by,
            ledger=self.research,
            today=TODAY,
        )
        self.research.append(ROWS.requested, order.id, by=by, details={"project": project.name})
        return order

    def work(self) -> None:
        """Make what waits, as the worker's loop does."""
        for each in self.worker.waiting():
            self.worker.make(each)
        self.worker.waiting()

    def result(self, order: Seal) -> OrderResult | None:
        """How an order of the project ended."""
        request = self.worker.requests.get(order.id, "loans")
        assert request is not None
        return self.worker.requests.result(request)


@pytest.fixture
def notebook(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> Notebook:
    return Notebook(tmp_path, keys, ring)


def test_a_request_is_made_once(notebook: Notebook) -> None:
    order = notebook.place()
    notebook.work()
    ended = notebook.result(order)
    assert ended is not None
    made = ended.made
    seal = notebook.world.shelf.open(made).seal
    assert (seal.kind, seal.parents, seal.terms["project"]) == (Kind.ROWS, (order.id,), "loans")
    assert json.loads((notebook.root / f"{order.id}.json").read_bytes())["version"] == made
    assert notebook.place().id == order.id
    notebook.work()
    assert len(notebook.world.shelf.list(Kind.ROWS)) == 1


def test_a_failure_has_a_reason_and_a_new_request_tries_again(notebook: Notebook) -> None:
    order = notebook.place(population="penalties > 1e9")
    notebook.work()
    failure = notebook.result(order)
    assert failure is not None
    assert failure.why
    assert failure.remedy
    assert notebook.worker.requests.waiting() == []
    notebook.place(population="penalties > 1e9")
    notebook.work()
    again = notebook.result(order)
    assert again is not None
    assert again.last_request > failure.last_request


def test_the_text_that_travels_is_what_was_parsed(notebook: Notebook) -> None:
    order = notebook.place(sql=SQL.replace("SELECT o.subject", "SELECT /* a secret */ o.subject", 1))
    placed = json.loads((notebook.world.shelf.open(order.id).path / "rows.json").read_bytes())
    assert "secret" not in placed["sql"]


def test_only_members_get_rows_and_only_of_granted_tables(notebook: Notebook) -> None:
    with pytest.raises(Refused):
        notebook.place(by=Actor("mallory", Role.RESEARCHER))
    no_loans = tuple(name for name in TABLES if name != "loan_performance")
    with pytest.raises(Refused, match="loan_performance"):
        notebook.place(Project("labels", "t", "p", date(2027, 1, 1), ("alice",), no_loans), label="defaulted")
    with pytest.raises(Malformed):
        notebook.place(Project("fines", "t", "p", date(2027, 1, 1), ("alice",), TABLES[:2]))


def test_a_cancelled_request_is_not_made(notebook: Notebook) -> None:
    order = notebook.place()
    notebook.research.append(ROWS.cancelled, order.id, by=ALICE, details={"project": "loans"})
    notebook.work()
    assert notebook.result(order) is None
    assert notebook.world.shelf.list(Kind.ROWS) == []
