"""One act of the platform stops every answer of every process within a second, and one starts them again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from serving_service_process import free_port, serving
from serving_world import PURPOSE, codes

from credit.errors import Malformed
from serving.state.answer_switch import AnswerSwitch, check_change, check_reason, set_switch
from serving.store.store import open_store

GOOD = codes("enterprise", 1)[0]
WHY = "检修至今日十八时 maintenance until 18:00"
PROBES = ("/live", "/ready", "/metrics", "/.well-known/jwks.json", "/openapi.json", "/docs")


def switch(world: Any, *, stop: bool, request: str, zone: str = "platform") -> None:
    set_switch(world.shelf, world.key(zone), stop=stop, reason=WHY, request=request)


def within(seconds: float, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)


def is_stopped(http: Any) -> bool:
    return bool(http.post("/v1/scores").status_code == 503)


def test_every_path_of_the_document_is_stopped_and_the_probes_stay(running: Any) -> None:
    document = running.http.get("/openapi.json").json()
    mandate = running.world.grant("bohai", GOOD).id
    assert running.score(GOOD, mandate).status_code == 200
    switch(running.world, stop=True, request="request-1")
    within(1, lambda: is_stopped(running.http))
    assert running.score(GOOD, mandate).status_code == 503
    tried = [(method, path) for path, methods in document["paths"].items() for method in methods]
    refused = [(method, path) for method, path in tried if path not in PROBES]
    assert {path for _, path in refused} >= {
        "/oauth2/token",
        "/v1/scores",
        "/v1/scores/live",
        "/v1/jobs",
        "/v1/watches",
    }
    for method, path in refused:
        answer = running.http.request(method, path.replace("{", "").replace("}", ""))
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (503, "urn:haihe:problem:answers-stopped"), path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "60"
        assert answer.headers["x-request-id"]
        assert WHY in problem["detail"]
    for path in PROBES:
        assert running.http.get(path).status_code == (503 if path == "/ready" else 200), path
    assert WHY in running.http.get("/ready").text


def test_an_unknown_path_is_stopped_too(running: Any) -> None:
    switch(running.world, stop=True, request="request-1")
    within(1, lambda: is_stopped(running.http))
    for path in ("/v2/anything", "/livex", "/live/", "/docsx", "/"):
        assert running.http.get(path).json()["type"].endswith(":answers-stopped"), path


def test_a_bank_reads_the_reason_in_both_languages(running: Any) -> None:
    switch(running.world, stop=True, request="request-1")
    within(1, lambda: is_stopped(running.http))
    titles = set()
    for language in ("zh", "en"):
        answer = running.http.post("/v1/scores", headers={"Accept-Language": language})
        assert answer.headers["content-language"] == language
        assert WHY in answer.json()["detail"]
        titles.add(answer.json()["title"])
    assert titles == {"平台已停止一切应答", "The platform has stopped all answers"}


def test_answers_are_started_again_and_each_act_has_an_entry(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    switch(running.world, stop=True, request="request-1")
    within(1, lambda: is_stopped(running.http))
    switch(running.world, stop=False, request="request-2")
    within(1, lambda: not is_stopped(running.http))
    assert running.score(GOOD, mandate).status_code == 200
    within(1, lambda: bool(running.entries("answers.started")))
    for verb, request in (("answers.stopped", "request-1"), ("answers.started", "request-2")):
        assert [entry.details for entry in running.entries(verb)] == [{"request": request, "why": WHY}]


def test_a_stop_holds_after_a_restart(running: Any, serve: Any) -> None:
    switch(running.world, stop=True, request="request-1")
    with serve() as again:
        assert again.score(GOOD, "mandate-x").status_code == 503
        assert again.entries("answers.stopped")


@pytest.mark.attack
@pytest.mark.parametrize("replaced", ["removed", "put back"])
def test_a_stop_outlasts_a_restart_during_which_its_pointer_was_exchanged(
    running: Any, serve: Any, replaced: str
) -> None:
    """The store of the service remembers the stop: a process that writes to the shelf cannot start answers."""
    path = running.world.root / "shelf" / "pointers" / "answers.json"
    switch(running.world, stop=False, request="request-0")
    started = path.read_bytes()
    switch(running.world, stop=True, request="request-1")
    within(1, lambda: is_stopped(running.http))
    path.unlink()
    if replaced == "put back":
        path.write_bytes(started)
    with serve() as again:
        assert is_stopped(again.http)
        assert "cannot be verified" in again.http.post("/v1/scores").text


def test_nothing_is_answered_before_the_switch_was_read(world: Any) -> None:
    follower = AnswerSwitch(world.shelf, open_store())
    assert follower.fault is not None
    assert follower.refresh() is None
    assert follower.fault is None


def test_only_the_platform_stops_and_starts(running: Any) -> None:
    """A pointer that is forged, damaged, removed, or an earlier one never starts what is stopped."""
    path = running.world.root / "shelf" / "pointers" / "answers.json"
    switch(running.world, stop=False, request="request-0")
    earlier = path.read_bytes()
    switch(running.world, stop=True, request="request-1")
    stopped = path.read_bytes()
    within(1, lambda: is_stopped(running.http))
    follower = running.http.app.service.switch
    for number, zone in enumerate(("service", "compute", "custody")):
        path.unlink()
        switch(running.world, stop=False, request=f"request-{zone}", zone=zone)
        within(1, lambda: "cannot be verified" in str(follower.fault))
        assert is_stopped(running.http), number
        path.write_bytes(stopped)
        within(1, lambda: WHY in str(follower.fault))
    for content in (earlier, b"{}", b"", None):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        within(1, lambda: "cannot be verified" in str(follower.fault))
        assert is_stopped(running.http)
        path.write_bytes(stopped)
        within(1, lambda: WHY in str(follower.fault))


def test_a_pointer_that_cannot_be_verified_stops_a_service_from_its_first_request(world: Any, serve: Any) -> None:
    (world.root / "shelf" / "pointers" / "answers.json").write_bytes(b"{}")
    with serve() as running:
        assert is_stopped(running.http)


def test_a_request_under_way_gets_no_answer_either(service_thread: Any) -> None:
    """Its body ends after the stop: the answer is made, does not leave, and the ledger says so."""
    mandate = service_thread.world.grant("bohai", GOOD).id
    line = service_thread.line()
    request = line.request(mandate)
    line.link.sendall(request[:-5])
    within(5, lambda: service_thread.endpoint.under_way == 1)
    switch(service_thread.world, stop=True, request="request-1")
    within(1, lambda: service_thread.endpoint.service.switch.fault is not None)
    line.link.sendall(request[-5:])
    status, _, body = line.answer()
    assert (status, b"answers-stopped" in body, b"points" in body) == (503, True, False)
    within(5, lambda: bool(service_thread.entries("answer.undelivered")))
    (made,), (undelivered,) = service_thread.entries("score.answered"), service_thread.entries("answer.undelivered")
    assert made.object == undelivered.object


@pytest.mark.servers
def test_every_process_stops_within_a_second(world: Any, template: Any) -> None:
    with serving(world, free_port(), HAIHE_SERVICE_WORKERS="2") as (url, _, _process):
        form = {"grant_type": "client_credentials"}
        token = httpx.post(f"{url}/oauth2/token", data=form, auth=("bohai", template[1]["bohai"])).json()
        headers = {"Authorization": f"Bearer {token['access_token']}", "Connection": "close"}
        body = {"uscc": GOOD, "purpose": PURPOSE, "mandate": world.grant("bohai", GOOD).id}

        def statuses() -> set[int]:
            return {httpx.post(f"{url}/v1/scores", json=body, headers=headers).status_code for _ in range(12)}

        def followed(verb: str) -> int:
            return sum(entry.verb == verb for entry in world.ledger.entries())

        assert statuses() == {200}
        for stop, status, verb in ((True, 503, "answers.stopped"), (False, 200, "answers.started")):
            switch(world, stop=stop, request=f"request-{stop}")
            within(3, lambda verb=verb: followed(verb) == 2)  # type: ignore[misc]  # each process says so
            assert statuses() == {status}


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, f"as {GOOD} asked", f"为{GOOD.lower()}停止"])
def test_words_that_banks_must_not_read_are_refused(reason: str) -> None:
    with pytest.raises(Malformed):
        check_reason(reason)


def test_a_step_that_is_done_twice_sets_the_switch_once(world: Any) -> None:
    with pytest.raises(Malformed):
        check_change(world.shelf, stop=False, request="request-1")
    assert check_change(world.shelf, stop=True, request="request-1")
    switch(world, stop=True, request="request-1")
    assert not check_change(world.shelf, stop=True, request="request-1")
    assert check_change(world.shelf, stop=True, request="request-2")  # with other words
    assert check_change(world.shelf, stop=False, request="request-3")
    follower = AnswerSwitch(world.shelf, open_store())
    assert follower.refresh() is not None
    assert follower.refresh() is None
