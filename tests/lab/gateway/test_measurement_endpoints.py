"""A measurement of a project's version on other rows is placed once, followed, and shown to its project alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from credit.order_requests import MEASUREMENT
from models.measuring.request import FILE, MeasurementRequest
from models.order.sealed_order import read_sealed_order
from tests.lab.gateway.test_order_endpoints import ALICE, declared, finish
from tests.lab.running_gateway import House

MEASURED = {"version": "version-1", "release": "release-1", "evidence": {"auc": 0.7}, "on_training_days": 0.25}
OTHER_LABEL = {"table": "loan_performance", "when": "overdue_days >= 30", "window_months": 3}


@pytest.fixture
def seeds() -> Iterator[int]:
    """A seed that no other test uses, and so an order of its own."""
    return iter(range(time.time_ns() % 10**6, 10**9))


def test_a_version_is_measured_on_the_rows_of_another_order(house: House, seeds: Iterator[int]) -> None:
    rows = declared(next(seeds), label=OTHER_LABEL)
    with house.kernel() as http:
        run = http.post("/v1/orders", json={"order": declared(next(seeds))}).json()["id"]
        body = {"run": run, "order": rows}
        early = http.post("/v1/measurements", json=body)
        assert early.status_code == 404
        assert "has no version to measure" in early.json()["title"]
        version = finish(house, run)
        placed = http.post("/v1/measurements", json=body)
        assert placed.status_code == 201, placed.text
        order = placed.json()["id"]
        assert (placed.json()["state"], placed.json()["measured"]) == ("waiting", None)
        assert http.post("/v1/measurements", json=body).json()["id"] == order
        assert len([each for each in house.entries(MEASUREMENT.requested) if each.object == order]) == 1
        request = MeasurementRequest.parse(json.loads((house.home.shelf.open(order).path / FILE).read_bytes()))
        assert request.version == version
        named, own = (read_sealed_order(house.home.shelf.open(each)) for each in (request.order, run))
        assert named.as_json()["label"] == rows["label"] != own.as_json()["label"]
        assert (named.features, named.sql, named.training) == (own.features, own.sql, own.training)
        details = {"order": order, "project": "loans", "measured": MEASURED}
        house.home.ledger("compute", writing=True).append(MEASUREMENT.made, order, by=ALICE, details=details)
        state = http.get(f"/v1/measurements/{order}").json()
        assert (state["state"], state["measured"]) == ("done", MEASURED)
    with house.kernel("bob", "fines") as other:
        assert other.get(f"/v1/measurements/{order}").status_code == 404
        assert other.post("/v1/measurements", json=body).status_code == 404, "the run is of another project"


@pytest.mark.parametrize("body", [{}, {"run": 1}, {"run": "order-1", "order": {}}, {"run": "order-1", "order": None}])
def test_a_request_that_cannot_be_read_has_a_reason(house: House, body: dict[str, object]) -> None:
    with house.kernel() as http:
        answer = http.post("/v1/measurements", json=body)
    assert answer.status_code == 422
    assert answer.json()["title"]
