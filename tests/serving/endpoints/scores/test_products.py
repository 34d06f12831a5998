"""Batches, verifications and objections: each subject is judged separately, and nothing is disclosed
without a mandate.
"""

from __future__ import annotations

from typing import Any

import pytest
from serving_world import PLATFORM, PURPOSE, TODAY, codes

from credit.actor import Actor
from credit.errors import Malformed, Missing, Refused
from serving.audit.signatures import HEADER, verify
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import RateLimit
from serving.auth.rate_limit import MISSES
from serving.endpoints.objections.objection_review import decide
from serving.responses.compose import answer_digest

GOOD, OTHER, THIRD = codes("enterprise", 3)
UNKNOWN = codes("enterprise", 99)[-1]


def post(running: Any, path: str, body: Any, bank: str = "bohai") -> Any:
    return running.http.post(path, json=body, headers={"Authorization": f"Bearer {running.token(bank)}"})


def batch_body(running: Any, *pairs: tuple[str, str]) -> dict[str, Any]:
    return {"asks": [{"uscc": code, "purpose": PURPOSE, "mandate": mandate} for code, mandate in pairs]}


def test_in_a_batch_each_subject_is_evaluated_separately_with_its_own_entry(running: Any) -> None:
    own, unknown = running.world.grant("bohai", GOOD).id, running.world.grant("bohai", UNKNOWN).id
    before = running.world.ledger.verify()
    answer = post(
        running, "/v1/scores/batch", batch_body(running, (GOOD, own), (OTHER, own), (UNKNOWN, unknown), ("9", own))
    )
    assert answer.status_code == 200, answer.text
    parts = answer.json()["answers"]
    assert [part["status"] for part in parts] == [200, 403, 404, 422]
    assert answer_digest(parts[0]["answer"]) == parts[0]["answer"]["receipt"]["digest"]
    alone = running.score(GOOD, own).json()
    assert alone["points"] == parts[0]["answer"]["points"]
    entries = {e.object: e.details["status"] for e in running.world.ledger.entries() if "batch" in e.details}
    ids = [parts[0]["answer"]["score_id"], *(part["problem"]["score_id"] for part in parts[1:])]
    assert [entries[name] for name in ids] == [200, 403, 404, 422]
    assert running.world.ledger.verify() == before + 4 + 1  # the one alone
    verify(answer.content, answer.headers[HEADER], running.world.ring)
    assert OTHER not in answer.text


def test_refusals_are_in_the_callers_language_within_a_batch_and_for_what_there_is_not(running: Any) -> None:
    body = batch_body(running, (OTHER, running.world.grant("bohai", GOOD).id))
    own = {"Authorization": f"Bearer {running.token()}"}
    for accepted, title, path in (("zh-CN,en;q=0.5", "授权书核验未通过", "没有此路径"),
                                  ("en", "The mandate gate did not open", "Not Found")):  # fmt: skip
        headers = {**own, "Accept-Language": accepted}
        answer = running.http.post("/v1/scores/batch", json=body, headers=headers)
        assert answer.json()["answers"][0]["problem"]["title"] == title
        none = running.http.get("/v1/nothing", headers=headers)
        assert (none.status_code, none.json()["title"], none.headers["content-language"]) == (404, path, accepted[:2])
    answer = running.http.post("/v1/scores/batch", json=body, headers=own)
    assert answer.json()["answers"][0]["problem"]["title"] == "The mandate gate did not open"


def test_a_batch_is_one_to_a_thousand_and_counts_as_many_calls(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    for count in (0, 1001):
        assert post(running, "/v1/scores/batch", batch_body(running, *[(GOOD, mandate)] * count)).status_code == 422
    answer = post(running, "/v1/scores/batch", batch_body(running, *[(GOOD, mandate)] * 990))
    assert {part["status"] for part in answer.json()["answers"]} == {200}
    assert len({part["answer"]["score_id"] for part in answer.json()["answers"]}) == 990
    access = AccessDatabase(running.world.root / "access.db")
    access.set_limit("bohai", RateLimit(0.01, 5))
    access.close()
    assert post(running, "/v1/scores/batch", batch_body(running, *[(GOOD, mandate)] * 6)).status_code == 422
    for status in (200, 429):
        assert post(running, "/v1/scores/batch", batch_body(running, *[(GOOD, mandate)] * 4)).status_code == status


def test_a_verification_agrees_with_the_score_and_does_not_disclose_it(running: Any) -> None:
    for code in (GOOD, OTHER, THIRD):
        mandate = running.world.grant("bohai", code).id
        score = running.score(code, mandate).json()
        request = {"uscc": code, "purpose": PURPOSE, "mandate": mandate}

        def answer(question: str, value: Any = None, request: dict[str, str] = request) -> Any:
            response = post(running, "/v1/verifications", {**request, "question": question, "value": value})
            assert response.status_code == 200, response.text
            assert not {"points", "reasons", "default_probability"} & set(response.json())
            return response.json()["answer"]

        for value in (0, 500, 650, 700, 750, 1000):
            assert answer("points_at_least", value) is (score["points"] >= value)
        order = ["A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D"]
        for grade in order:
            assert answer("grade_at_least", grade) is (order.index(score["grade"]) <= order.index(grade))
        band = answer("points_within")
        assert band["from"] <= score["points"] < band["below"] == band["from"] + 50


@pytest.mark.attack
def test_questions_that_would_disclose_more_than_a_band_are_refused(running: Any) -> None:
    request = {"uscc": GOOD, "purpose": PURPOSE, "mandate": running.world.grant("bohai", GOOD).id}
    for question, value in (("points_at_least", 651), ("points_at_least", "650"), ("points_at_least", True),
                            ("points_within", 650), ("grade_at_least", "E"), ("probability", 1)):  # fmt: skip
        response = post(running, "/v1/verifications", {**request, "question": question, "value": value})
        assert response.status_code == 422, (question, value)
    theirs = post(running, "/v1/verifications", {**request, "question": "points_within"}, bank="jincheng")
    assert theirs.status_code == 403


def test_a_scope_opens_its_own_product_alone(running: Any) -> None:
    form = {"grant_type": "client_credentials", "scope": "verify"}
    response = running.http.post("/oauth2/token", data=form, auth=("bohai", running.secrets["bohai"]))
    headers = {"Authorization": f"Bearer {response.json()['access_token']}"}
    request = {"uscc": GOOD, "purpose": PURPOSE, "mandate": running.world.grant("bohai", GOOD).id}
    assert running.http.post("/v1/scores", json=request, headers=headers).status_code == 403
    assert running.http.post("/v1/scores/batch", json={"asks": [request]}, headers=headers).status_code == 403
    verified = running.http.post("/v1/verifications", json={**request, "question": "points_within"}, headers=headers)
    assert verified.status_code == 200


def test_an_objection_goes_to_a_person_of_the_platform_and_its_course_is_the_ledgers(running: Any) -> None:
    score = running.score(GOOD, running.world.grant("bohai", GOOD).id).json()["score_id"]
    words = {"score_id": score, "kind": "human_review", "statement": "the penalty was annulled in June"}
    document = post(running, "/v1/objections", words).json()
    name, path = document["objection_id"], f"/v1/objections/{document['objection_id']}"
    assert (document["state"], document["due"] > str(TODAY)) == ("asked", True)
    assert words["statement"] not in (running.world.root / "ledger.jsonl").read_text()
    own, theirs = ({"Authorization": f"Bearer {running.token(bank)}"} for bank in ("bohai", "jincheng"))
    status_now = running.http.get(path, headers=own)
    assert status_now.json()["state"] == "asked"
    verify(status_now.content, status_now.headers[HEADER], running.world.ring)
    not_theirs = running.http.get(path, headers=theirs)
    assert not_theirs.status_code == 404
    assert running.entries("score.refused")[-1].object == not_theirs.json()["score_id"]
    assert running.http.get("/v1/objections/objection-0", headers=own).status_code == 404
    assert post(running, "/v1/objections", words, bank="jincheng").status_code == 404  # it was not given that answer
    access, ledger = AccessDatabase(running.world.root / "access.db"), running.world.ledger
    with pytest.raises(Refused):
        decide(access, ledger, name, "upheld", by=Actor.parse("bank:bohai"), why="w")
    for outcome, why in (("perhaps", "w"), ("upheld", " ")):
        with pytest.raises(Malformed):
            decide(access, ledger, name, outcome, by=PLATFORM, why=why)
    with pytest.raises(Missing):
        decide(access, ledger, "objection-0", "upheld", by=PLATFORM, why="w")
    decide(access, ledger, name, "upheld", by=PLATFORM, why="the penalty is out of the next snapshot")
    with pytest.raises(Refused):
        decide(access, ledger, name, "dismissed", by=PLATFORM, why="on second thoughts")
    access.close()
    settled = running.http.get(path, headers=own).json()
    assert (settled["state"], settled["decided_by"]) == ("granted", str(PLATFORM))
    assert settled["outcome"] == "the penalty is out of the next snapshot"
    assert running.world.ledger.verify()


@pytest.mark.attack
def test_a_batch_that_tries_codes_is_stopped_within_it(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    answer = post(running, "/v1/scores/batch", batch_body(running, *[(OTHER, mandate)] * 900)).json()["answers"]
    assert sum(part["status"] == 403 for part in answer) == MISSES.burst
    assert sum(part["status"] == 429 for part in answer) == 900 - MISSES.burst
    assert len(running.entries("enumeration.suspected")) == 1
