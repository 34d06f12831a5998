"""No market data reach an agency, a query, a report or anyone without a mandate, by any route of the service."""

from __future__ import annotations

from typing import Any

import pytest
from serving_credit_files import FIRM, RECORDS, headers, shelve
from serving_evaluations import evaluate
from serving_market_paths import answers, differences
from serving_webhook_receiver import WebhookReceiver
from serving_world import PURPOSE

from serving.auth.access_database import AccessDatabase

MATTER = "SSJ-2026-0117"
MARKET = ["可用于信用评价", "仅用于联合建模"]


@pytest.fixture
def serving(world: Any, serve: Any) -> Any:
    """The service with credit files and public evaluations."""
    shelve(world, RECORDS)
    with serve(webhooks_to_loopback=True, chores=False) as running:
        yield running


@pytest.fixture
def receiver() -> Any:
    """Where webhooks go."""
    with WebhookReceiver() as receiving:
        yield receiving


def change_scores(running: Any) -> None:
    """Put other models and other scores in use."""
    for model, (_, _, version, snapshot) in running.seals.items():
        running.world.promote(model, version)
        running.world.show(model, version, snapshot)
    running.http.app.service.snapshots.refresh()


@pytest.mark.attack
def test_the_answers_to_all_others_than_banks_do_not_depend_on_the_scores(serving: Any, receiver: Any) -> None:
    mandate = serving.world.grant("bohai", FIRM).id
    scored, before = serving.score(FIRM, mandate).json(), answers(serving, receiver)
    change_scores(serving)
    after = answers(serving, receiver)
    assert serving.score(FIRM, mandate).json()["points"] != scored["points"], "the scores have changed"
    assert differences(before, after) == []
    answered = {key[1] for key, (status, _) in before.items() if status == 200 and key[0].startswith("agency")}
    assert {"POST /v1/evaluations", "GET /v1/reports/{uscc}", "POST /v1/queries/evaluation"} <= answered
    for key, (status, content) in before.items():
        if status == 200:
            assert "default_probability" not in str(content), key


@pytest.mark.attack
def test_the_comparison_sees_an_evaluation_that_depends_on_a_score(serving: Any, receiver: Any) -> None:
    before = answers(serving, receiver)
    evaluate(serving.world, "enterprise", 40, seed=8)
    serving.http.app.service.evaluations.refresh()
    seen = differences(before, answers(serving, receiver))
    routes = {" ".join(line.split()[-3:-1]) for line in seen}
    assert {"POST /v1/evaluations", "POST /v1/queries/evaluation", "GET /v1/reports/{uscc}?format=json"} <= routes


@pytest.mark.attack
@pytest.mark.parametrize("usage", [MARKET, ["仅用于联合建模"], [], None, ["公开"], "可用于信用评价"])
def test_an_evaluation_of_market_data_is_not_opened_whoever_points_at_it(serving: Any, usage: Any) -> None:
    evaluate(serving.world, "enterprise", 40, usage=usage)
    serving.http.app.service.evaluations.refresh()
    response = serving.http.post(
        "/v1/evaluations", json={"uscc": FIRM, "matter": MATTER}, headers=headers(serving, "scjgj")
    )
    assert response.status_code == 503
    assert "grade" not in response.json()
    report = serving.http.get(f"/v1/reports/{FIRM}?format=json", headers=headers(serving)).json()
    assert report["evaluation"] == []


@pytest.mark.attack
def test_an_agency_gets_no_score_whatever_scopes_its_row_has(world: Any, serve: Any) -> None:
    shelve(world, RECORDS)
    access = AccessDatabase(world.root / "access.db")
    access.rows("UPDATE client SET scopes = 'score batch live facts verify watch job query' WHERE name = 'scjgj'")
    access.close()
    mandate = world.grant("scjgj", FIRM).id
    request = {"uscc": FIRM, "purpose": PURPOSE, "mandate": mandate}
    with serve() as running:
        live = {**request, "features": {"age_years": 1.0}, "kind": "what_if"}
        auth = {"Authorization": f"Bearer {running.fresh_token('scjgj')}"}
        for path, body in (("/v1/scores", request), ("/v1/scores/batch", {"asks": [request]}),
                           ("/v1/verifications", {**request, "question": "points_within"}), ("/v1/watches", request),
                           ("/v1/scores/live", live)):  # fmt: skip
            assert running.http.post(path, json=body, headers=auth).status_code == 403, path


@pytest.mark.attack
def test_a_model_whose_right_permits_no_score_is_used_for_none(world: Any, serve: Any) -> None:
    version = world.shelf.pointer("champion-enterprise", {"platform"})["version"]
    for usage in (["研究使用，不得再发布"], ["可用于信用评价", "仅用于主体核验"]):
        world.show("enterprise", version, world.snapshot("enterprise", version, 40, usage=usage))
        with serve() as running:
            refused = running.score(FIRM, world.grant("bohai", FIRM).id)
            assert refused.status_code == 403
            assert "usage right" in refused.json()["title"]
    world.show("enterprise", version, world.snapshot("enterprise", version, 40, usage=MARKET))
    with serve() as running:
        assert running.score(FIRM, world.grant("bohai", FIRM).id).status_code == 200
