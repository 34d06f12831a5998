"""A notebook requests the promotion of its project's version once, and reads its state; no other project does."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.gate import Finding, Outcome, Verdict
from credit.messages import Text
from credit.registrations import REFUSED, REQUEST
from credit.requests.failure import messages_of
from credit.uscc import compose
from lab.gateway.endpoints.promotions import NOTE
from lab.library.promotion import ModelChampion, PromotionRequest
from tests.lab.gateway.test_order_endpoints import ALICE, declared, finish
from tests.lab.running_gateway import House

BOB = Actor("bob", Role.PLATFORM)


@pytest.fixture
def seeds() -> Iterator[int]:
    """A seed that no other test uses, and so an order of its own."""
    return iter(range(time.time_ns() % 10**6, 10**9))


def verdict() -> dict[str, object]:
    why = Text.of("promotion-gate.auc-low", low=0.55, least=0.6)
    return Verdict("promotion", (Finding.of("discrimination", Outcome.FAIL, why, {"auc": 0.61}),), {}).as_json()


def test_a_version_is_requested_once_and_its_verdict_comes_back_in_words(house: House, seeds: Iterator[int]) -> None:
    """From the request to the refusal, and to another request after it; the platform's evidence stays there."""
    platform = house.home.ledger("platform", writing=True)
    with house.kernel() as http:
        run = http.post("/v1/orders", json={"order": declared(next(seeds))}).json()["id"]
        body = {"run": run, "note": "Fresh penalties, for young firms"}
        assert http.post("/v1/promotions", json=body).status_code == 404, "it has no version yet"
        version = finish(house, run)
        assert http.get(f"/v1/promotions/{run}").json()["state"] == "never"
        placed = http.post("/v1/promotions", json=body)
        assert placed.status_code == 201, placed.text
        assert (placed.json()["state"], placed.json()["version"]) == ("waiting", version)
        assert http.post("/v1/promotions", json=body).json()["state"] == "waiting"
        (request,) = [entry for entry in house.entries(REQUEST) if entry.object == version]
        assert (request.by, request.details["project"], request.details["note"]) == (ALICE, "loans", body["note"])
        platform.append("promotion.asked", version, by=ALICE, details={"model": "enterprise", "request": request.id})
        assert http.get(f"/v1/promotions/{run}").json()["state"] == "requested"
        details = {"model": "enterprise", "verdict": verdict()}
        platform.append("promotion.refused", version, by=BOB, details=details)
        state = PromotionRequest(http.get(f"/v1/promotions/{run}").json())
        assert state.state == "refused"
        assert "discrimination: the AUC may be as low as 0.55" in repr(state)
        assert "0.61" not in repr(state) + state._repr_html_()
        assert "bob" not in repr(state)
        assert http.post("/v1/promotions", json=body).json()["state"] == "waiting"
        assert len([entry for entry in house.entries(REQUEST) if entry.object == version]) == 2
        details = {"request": house.entries(REQUEST)[-1].id, "messages": messages_of(_refusal())}
        platform.append(REFUSED, version, by=BOB, details=details)
        assert "is no member of a project" in repr(PromotionRequest(http.get(f"/v1/promotions/{run}").json()))
    with house.kernel("bob", "fines") as other:
        assert other.get(f"/v1/promotions/{run}").status_code == 404
        assert other.post("/v1/promotions", json=body).status_code == 404


def _refusal() -> Refused:
    return Refused("registrations.not-yours", name="alice")


@pytest.mark.attack
@pytest.mark.parametrize("note", [compose("91", "120116", "MA000001").code, "x" * (NOTE + 1), "a\u0000b", 7])
def test_a_note_is_plain_words(house: House, seeds: Iterator[int], note: object) -> None:
    """It passes no airlock on its way to the platform."""
    with house.kernel() as http:
        run = http.post("/v1/orders", json={"order": declared(next(seeds))}).json()["id"]
        version = finish(house, run)
        answer = http.post("/v1/promotions", json={"run": run, "note": note})
        assert answer.status_code in (403, 422), answer.text
    assert version not in {entry.object for entry in house.entries(REQUEST)}


def test_the_champion_of_a_model_is_shown_by_its_name_alone(house: House, seeds: Iterator[int]) -> None:
    """No version is shown by its id, which a notebook may know of another project."""
    with house.kernel() as http:
        run = http.post("/v1/orders", json={"order": declared(next(seeds))}).json()["id"]
        version = finish(house, run)
        assert http.get("/v1/champions/enterprise").status_code == 404
        pointer = {"model": "enterprise", "version": version}
        house.home.shelf.set_pointer("champion-enterprise", pointer, house.home.key("platform"))
        try:
            champion = ModelChampion(http.get("/v1/champions/enterprise").json())
            assert (champion.version, champion.features) == (version, ["a"])
            assert http.get(f"/v1/champions/{version}").status_code == 404
        finally:
            (house.home.shelf.root / "pointers" / "champion-enterprise.json").unlink()
