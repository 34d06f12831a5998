"""A notebook requests a training, follows its progress and cancels it, for its own project and no other."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from credit.actor import Actor, Role
from credit.errors import Malformed
from credit.messages import Text
from credit.seal import Kind
from models.order.order import Order
from models.worker.progress import TrainingProgress
from tests.lab.running_gateway import House
from tests.models import invented_release

CHAMPION = {"version": "version-0", "evidence": {"auc": 0.6}, "gain": {"auc": 0.1}}
ALICE = Actor("alice", Role.RESEARCHER)


@pytest.fixture
def seeds() -> Iterator[int]:
    """A seed that no other test uses, and so an order of its own."""
    return iter(range(time.time_ns() % 10**6, 10**9))


def declared(seed: int, **changes: Any) -> dict[str, Any]:
    declaration = invented_release.declaration(training={"trials": 2, "seed": seed, "minimum_leaf": 30}, **changes)
    return Order.parse(declaration).as_json()


def finish(house: House, order: str) -> str:
    """A version and its ledger entry, as the compute zone writes them."""
    shelf, evidence = house.home.shelf, {"auc": 0.7, "rows": 10}
    with shelf.staging() as folder:
        (folder / "evidence.json").write_text(json.dumps(evidence))
        (folder / "card.md").write_text("# card")
        seal = shelf.put(
            folder, Kind.VERSION, parents=(order,),
            terms={"model": "enterprise", "features": ["a"], "release": house.release.seal.id},
            expires_on=date(2027, 1, 1), by=ALICE, key=house.home.key("compute"),
        )  # fmt: skip
    house.home.ledger("compute", writing=True).append(
        "version.made", seal.id, by=ALICE, details={"order": order, "champion": CHAMPION}
    )
    return seal.id


def test_an_order_is_requested_once_followed_and_done(house: House, seeds: Iterator[int]) -> None:
    order = {"order": declared(next(seeds)), "release": house.release.seal.id}
    with house.kernel() as http:
        answer = http.post("/v1/orders", json=order)
        assert answer.status_code == 201, answer.text
        description = answer.json()
        assert (description["state"], description["model"], description["asked_by"]) == (
            "waiting",
            "enterprise",
            "alice",
        )
        assert http.post("/v1/orders", json=order).json()["id"] == description["id"]
        requests = [entry for entry in house.entries("training.asked") if entry.object == description["id"]]
        assert [str(entry.by) for entry in requests] == ["researcher:alice"]
        run = TrainingProgress(house.settings.runs, description["id"], requests[0].seq)
        run.step("search", 3, 10)
        one = http.get(f"/v1/orders/{description['id']}").json()
        assert (one["state"], one["label"], one["done"], one["total"]) == ("running", "search", 3, 10)
        assert "evidence" not in one
        timer = threading.Timer(0.3, lambda: (run.step("search", 10, 10), finish(house, description["id"])))
        timer.start()
        with http.stream("GET", f"/v1/orders/{description['id']}/events") as stream:
            lines = [json.loads(line) for line in stream.iter_lines()]
        timer.join()
        assert lines[0]["state"] == "running"
        assert lines[-1]["state"] == "done"
        assert lines[-1]["version"].startswith("version-")
        whole = http.get(f"/v1/orders/{description['id'][:20]}").json()
        assert (whole["evidence"]["auc"], whole["card"], whole["features"]) == (0.7, "# card", ["a"])
        assert whole["champion"] == CHAMPION
        assert description["id"] in [each["id"] for each in http.get("/v1/orders").json()]
        assert http.post(f"/v1/orders/{description['id']}/cancel").status_code == 403


def test_another_projects_order_is_not_there(house: House, seeds: Iterator[int]) -> None:
    with house.kernel() as own, house.kernel("bob", "fines") as theirs, house.kernel("alice", "fines") as elsewhere:
        order = own.post("/v1/orders", json={"order": declared(next(seeds))}).json()["id"]
        for http in (theirs, elsewhere):
            assert order not in [each["id"] for each in http.get("/v1/orders").json()]
            for path in (f"/v1/orders/{order}", f"/v1/orders/{order}/events"):
                assert http.get(path).status_code == 404
            assert http.post(f"/v1/orders/{order}/cancel").status_code == 404
        assert own.get(f"/v1/orders/{order}").json()["state"] == "waiting"
        with house.kernel("carol", "loans") as colleague:
            assert colleague.get(f"/v1/orders/{order}").status_code == 200, "a project's members see its orders"


def test_an_order_on_tables_that_were_not_granted_is_refused(house: House, seeds: Iterator[int]) -> None:
    with house.kernel("bob", "fines") as http:
        answer = http.post("/v1/orders", json={"order": declared(next(seeds))})
    assert answer.status_code == 403
    assert "was not granted loan_performance" in answer.json()["title"]
    assert not [entry for entry in house.entries("training.asked") if entry.details["project"] == "fines"]


def test_a_cancel_is_an_entry_and_a_repetition_is_a_new_request(house: House, seeds: Iterator[int]) -> None:
    with house.kernel() as http:
        body = {"order": declared(next(seeds))}
        order = http.post("/v1/orders", json=body).json()["id"]
        assert http.post(f"/v1/orders/{order}/cancel").json()["state"] == "cancelled"
        assert [entry.object for entry in house.entries("training.cancelled")][-1] == order
        assert http.post(f"/v1/orders/{order}/cancel").status_code == 403
        assert http.post("/v1/orders", json=body).json()["state"] == "waiting"


def test_a_failure_has_a_readable_reason(house: House, seeds: Iterator[int]) -> None:
    with house.kernel() as http:
        order = http.post("/v1/orders", json={"order": declared(next(seeds))}).json()["id"]
        requests = [entry for entry in house.entries("training.asked") if entry.object == order][-1]
        details = {
            "asked": requests.seq,
            "why": str(Malformed(Text.verbatim("Too few rows"), why=Text.verbatim("12"))),
            "remedy": "Look longer",
        }
        house.home.ledger("compute", writing=True).append("training.failed", order, by=ALICE, details=details)
        description = http.get(f"/v1/orders/{order}").json()
    assert description["state"] == "failed"
    assert description["error"] == {"what": "Too few rows: 12", "remedy": "Look longer", "messages": {}}


@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        ({"order": {}}, 422, "order"),
        ({"order": None}, 422, "order"),
        ({"release": f"release-{'0' * 64}"}, 404, "no release"),
        ({"release": "../../../etc"}, 422, "id of a seal"),
        ({"release": 7}, 422, "release cannot be read"),
        ({"order": {"sql": "SELECT subject FROM read_csv('/etc/passwd')"}}, 422, ""),
    ],
)
def test_orders_are_read_strictly(
    house: House, seeds: Iterator[int], change: dict[str, Any], status: int, why: str
) -> None:
    order = declared(next(seeds))
    body: dict[str, Any] = {"order": order} | change
    if isinstance(change.get("order"), dict) and "sql" in change["order"]:
        body["order"] = order | change["order"]
    with house.kernel() as http:
        answer = http.post("/v1/orders", json=body)
    assert answer.status_code == status, answer.text
    assert why in answer.text


def test_streams_and_orders_of_one_workspace_are_bounded(house: House, seeds: Iterator[int]) -> None:
    with house.kernel("carol", "loans") as http, contextlib.ExitStack() as kept:
        order = http.post("/v1/orders", json={"order": declared(next(seeds))}).json()["id"]
        for _ in range(4):
            stream = kept.enter_context(http.stream("GET", f"/v1/orders/{order}/events"))
            assert stream.status_code == 200
        assert http.get(f"/v1/orders/{order}/events").status_code == 429
        kept.close()
        time.sleep(0.6)
        with http.stream("GET", f"/v1/orders/{order}/events") as stream:
            assert stream.status_code == 200, "those that ended count no more"
        answers = [http.post("/v1/orders", json={"order": declared(next(seeds))}) for _ in range(25)]
        assert answers[-1].status_code == 429
        assert "orders waiting" in answers[-1].json()["title"]
        for each in http.get("/v1/orders").json():
            if each["state"] == "waiting":
                http.post(f"/v1/orders/{each['id']}/cancel")
