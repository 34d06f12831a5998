"""Rows that a notebook requested are placed once, mounted for its project alone, and are there until they end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from credit.actor import Actor, Role
from credit.errors import Lapsed
from credit.ledger.statement import Statement, store_statement
from credit.order_requests import ROWS
from credit.seal import Kind, Seal
from lab.gateway.mounted_rows import mount, unmount_ended
from lab.gateway.research_zone import ResearchZone
from lab.settings import Workspace
from tests.lab import running_gateway
from tests.lab.running_gateway import House

SQL = "SELECT subject, count(*) AS penalties FROM administrative_penalty GROUP BY subject"
REQUEST = {"kind": "enterprise", "sql": SQL, "as_of": ["2025-01-01"]}
ALICE = Actor("alice", Role.RESEARCHER)


@pytest.fixture(scope="module")
def own() -> Iterator[House]:
    """A house of its own: its project has rows."""
    with running_gateway.house(subjects=20) as made, running_gateway.gateway(made):
        yield made


def made_by_compute(house: House, order: str, *, ends: date = date(2026, 8, 1), mark: int = 0) -> Seal:
    """What compute leaves for an order: a ROWS seal, and an entry in its ledger."""
    shelf, ledger = house.home.shelf, house.home.ledger("compute", writing=True)
    with shelf.staging() as folder:
        pq.write_table(pa.table({"key": ["a", "b"], "penalties": [1.5, float(mark)]}), folder / "rows.parquet")
        terms = {"project": "loans", "invented": True}
        made: dict[str, Any] = {"terms": terms, "expires_on": ends, "by": ALICE, "key": house.home.key("compute")}
        seal = shelf.put(folder, Kind.ROWS, parents=(order,), **made)
    ledger.append(ROWS.made, seal.id, by=ALICE, details={"order": order, "project": "loans"})
    return seal


def test_rows_are_mounted_for_the_project_that_requested_them(own: House) -> None:
    folder = own.settings.rows_folder("loans")
    with own.kernel() as http:
        placed = http.post("/v1/rows", json=REQUEST)
        assert placed.status_code == 201, placed.text
        order = placed.json()["id"]
        assert placed.json()["state"] == "waiting"
        assert http.post("/v1/rows", json=REQUEST).json()["id"] == order
        assert len(own.entries("rows.asked")) == 1
        seal = made_by_compute(own, order)
        state = http.get(f"/v1/rows/{order}").json()
        assert (state["state"], state["rows"], state["invented"]) == ("done", seal.id, True)
    (copy,) = folder.iterdir()
    assert copy.name == f"{seal.id}.parquet"
    assert pq.read_table(copy)["penalties"].to_pylist() == [1.5, 0.0]
    assert copy.stat().st_mode & 0o777 == 0o444
    with own.kernel("bob", "fines") as other:
        assert other.get(f"/v1/rows/{order}").status_code == 404
    assert not own.settings.rows_folder("fines").exists()


def test_an_order_that_waits_has_whether_compute_is_there(own: House) -> None:
    """By what compute's agent countersigned last: nothing yet, just now, or long ago."""
    order = {"kind": "enterprise", "sql": SQL, "as_of": ["2025-03-01"]}
    witness, key = own.settings.ledger.parent / "witness", own.home.key("compute")
    with own.kernel() as http:
        assert http.post("/v1/rows", json=order).json()["compute_away_since"] is None
        for age, expected in ((0, ""), (3600, "at")):
            at = (datetime.now(UTC) - timedelta(seconds=age)).isoformat()
            store_statement(witness, Statement("research", 1, "0" * 64, at, "compute"), key)
            assert http.post("/v1/rows", json=order).json()["compute_away_since"] == (at if expected else "")


def test_rows_name_a_release_of_research_or_are_placed_on_the_newest(own: House) -> None:
    with own.kernel() as http:
        for wrong, status in (("release-0", 404), (own.practice.seal.id, 403)):
            assert http.post("/v1/rows", json=REQUEST | {"release": wrong}).status_code == status
        again = http.post("/v1/rows", json=REQUEST | {"release": own.release.seal.id, "as_of": ["2025-02-01"]}).json()
        order = own.home.shelf.open(again["id"], deep=False).seal
    assert order.parents == (own.release.seal.id,)


def test_rows_that_have_ended_leave_the_workspaces(own: House) -> None:
    zone = ResearchZone.open(own.settings)
    project = zone.project(Workspace("alice", "loans"))
    lasting = made_by_compute(own, own.release.seal.id, mark=1)
    ended = made_by_compute(own, own.release.seal.id, ends=own.today, mark=2)
    folder = own.settings.rows_folder("loans")
    mount(zone, project, lasting.id)
    with pytest.raises(Lapsed):
        mount(zone, project, ended.id)
    stale = (f"{ended.id}.parquet", f"rows-{'0' * 64}.parquet", f".{lasting.id}.{_ended_process()}")
    half = f".{lasting.id}.{os.getpid()}"
    for name in (*stale, half):
        (folder / name).write_bytes(b"")
    unmount_ended(zone, project)
    names = {path.name for path in folder.iterdir()}
    assert {f"{lasting.id}.parquet", half} <= names, "a process that runs is at work on the other"
    assert not names & set(stale)


def test_the_rows_that_a_cell_read_are_recorded(own: House) -> None:
    """Of another project, or none that there are, is recorded as nothing: only a kernel can report those."""
    seal = made_by_compute(own, own.release.seal.id, mark=3)
    report = {"kernel": "k", "code": "0" * 64}
    with own.server() as http:
        assert http.post("/v1/reads", json=report | {"tables": [seal.id, "registration"]}).status_code == 201
        assert http.post("/v1/reads", json=report | {"tables": [f"rows-{'0' * 64}"]}).status_code == 201
    with own.server("bob", "fines") as http:
        assert http.post("/v1/reads", json=report | {"tables": [seal.id]}).status_code == 201
    first, second, third = (entry.details for entry in own.entries("cell.read"))
    assert set(first["rows"]) == {seal.id}
    assert set(first["tables"]) == {"registration"}
    assert dict(second["rows"]) == dict(third["rows"]) == {}


def _ended_process() -> int:
    """The id of a process that has ended."""
    return next(number for number in range(4_000_000, 1, -1) if not Path(f"/proc/{number}").exists())
