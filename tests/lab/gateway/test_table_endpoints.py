"""A table that a notebook requested is placed once, made by compute, shown to its project, and leaves by policy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.order_requests import TABLE
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from infra.agents.tables import table_of_order
from lab.airlock.exits import close_exits, open_exits
from lab.airlock.table_parcel import LEFT
from models.distributed.ray_cluster import in_process
from models.features.duckdb_engine import Limits
from models.order.order import built_in
from models.tables.given_units import GivenUnits
from models.tables.maker import TableMaker
from models.tables.policy import load_table_policy
from tests.lab import running_gateway
from tests.lab.running_gateway import TODAY, House

SQL = "SELECT year(registered_on) < 2012 AS early, count(*) AS n FROM registration GROUP BY ALL -- a comment"
REQUEST = {"kind": "enterprise", "sql": SQL, "as_of": "2025-01-01"}
ALICE = Actor("alice", Role.RESEARCHER)


@pytest.fixture(scope="module")
def own() -> Iterator[House]:
    """A house of its own: its project has tables."""
    with running_gateway.house(subjects=120) as made, running_gateway.gateway(made):
        yield made


def made_by_compute(house: House, order: str, folder: Path) -> Seal:
    """The table that compute makes of an order."""
    ledger = house.home.ledger("compute", writing=True)
    maker = TableMaker(
        house.home.shelf,
        house.home.key("compute"),
        ledger,
        GivenUnits(folder, ledger),
        load_table_policy(),
        {"enterprise": built_in("enterprise")},
        in_process(),
        Limits(),
    )
    return table_of_order(maker, house.home.shelf.open(order), ALICE, TODAY, lambda label, done, total: None)


def test_a_table_is_made_shown_and_carried_out(own: House, tmp_path: Path) -> None:
    with own.kernel() as http:
        placed = http.post("/v1/tables", json=REQUEST)
        assert placed.status_code == 201, placed.text
        order = placed.json()["id"]
        assert (placed.json()["state"], placed.json()["table"]) == ("waiting", None)
        assert http.post(f"/v1/tables/{order}/parcel").status_code == 404
        assert http.post("/v1/tables", json=REQUEST).json()["id"] == order
        assert len(own.entries(TABLE.requested)) == 1
        seal = made_by_compute(own, order, tmp_path)
        state = http.get(f"/v1/tables/{order}").json()
        assert (state["state"], state["table"]["id"], state["table"]["approved_by"]) == ("done", seal.id, "policy")
        assert state["table"]["columns"]["registered_on_group"] == ["false", "true"]
        close_exits(own.ledger, "Wait", by=running_gateway.BOSS)
        assert http.post(f"/v1/tables/{order}/parcel").status_code == 503
        open_exits(own.ledger, "Go on", by=running_gateway.BOSS)
        assert http.get("/v1/parcels").json() == []
        carried_out = http.post(f"/v1/tables/{order}/parcel").json()
        parcel = carried_out.pop("parcel")
        assert (carried_out["id"], carried_out["state"], carried_out["sealed"]) == (parcel, "received", parcel)
        assert carried_out["verdict"]["findings"], "what the gate of tables found"
        assert carried_out["context"]["title"] == "table 汇总表: registered_on_group, count"
        assert http.get("/v1/parcels").json() == [carried_out]
        assert http.get(f"/v1/parcels/{parcel[:20]}").json() == carried_out
        assert http.post(f"/v1/tables/{order}/parcel").json()["parcel"] == parcel
    opened = Shelf(own.settings.outbox, own.home.ring).open(parcel)
    assert (opened.seal.kind, opened.seal.parents, opened.seal.terms["invented"]) == (Kind.PARCEL, (seal.id,), True)
    text = (opened.path / "table.csv").read_text()
    assert text.splitlines()[0] == '"registered_on_group","count"'
    assert text.count("\n") == 3
    assert set(opened.seal.files) == {"table.csv", "table.parquet"}
    (left,) = own.entries(LEFT)
    assert (left.by.name, left.object, left.details["approved_by"]) == ("alice", seal.id, "policy")
    with own.kernel("bob", "fines") as other:
        assert other.get(f"/v1/tables/{order}").status_code == 404
        assert other.get("/v1/parcels").json() == []
        assert other.get(f"/v1/parcels/{parcel}").status_code == 404
        assert other.post(f"/v1/tables/{order}/parcel").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"sql": "SELECT count(*) FROM loan_performances"},
        {"sql": "SELECT early, count(*) FROM registration GROUP BY ALL HAVING count(*) = 1"},
        {"as_of": date(2025, 1, 2).isoformat()},
        {"kind": "person"},
        {"more": 1},
    ],
)
def test_a_request_that_cannot_be_read_has_a_reason(own: House, changes: dict[str, object]) -> None:
    with own.kernel() as http:
        answer = http.post("/v1/tables", json=REQUEST | changes)
    assert answer.status_code == 422
    assert answer.json()["title"]


def test_only_granted_tables_are_read(own: House) -> None:
    with own.kernel("bob", "fines") as http:
        answer = http.post("/v1/tables", json=REQUEST | {"sql": "SELECT count(*) FROM loan_performance"})
    assert answer.status_code == 422
