"""Every answer names its request, and the ledger's entry of the answer bears the same name."""

from __future__ import annotations

from typing import Any

from serving_world import codes

GOOD = codes("enterprise", 1)[0]


def test_every_answer_has_an_id_of_its_own_whatever_the_caller_sends(running: Any) -> None:
    http, mandate = running.http, running.world.grant("bohai", GOOD).id
    answers = [
        running.score(GOOD, mandate), running.score(GOOD, "none"), running.score(GOOD, mandate, token="forged"),
        http.get("/live"), http.get("/ready"), http.get("/docs"), http.get("/nowhere"), http.get("/v1/jobs"),
        http.get("/openapi.json", headers={"X-Request-Id": "chosen"}), http.post("/oauth2/token"),
    ]  # fmt: skip
    ids = [answer.headers.get_list("x-request-id") for answer in answers]
    assert [len(each) for each in ids] == [1] * len(answers)
    assert len({each for (each,) in ids}) == len(answers)
    assert ["chosen"] not in ids


def test_the_ledger_names_an_answer_and_a_refusal_as_their_headers_do(running: Any) -> None:
    answer, refused = running.score(GOOD, running.world.grant("bohai", GOOD).id), running.score(GOOD, "none")
    assert answer.headers["x-request-id"] == answer.json()["score_id"]
    assert refused.headers["x-request-id"] == refused.json()["score_id"]
    objects = {entry.object for verb in ("score.answered", "score.refused") for entry in running.entries(verb)}
    assert {answer.headers["x-request-id"], refused.headers["x-request-id"]} <= objects
