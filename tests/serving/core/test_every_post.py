"""Every POST of a bank takes an idempotency key by one law: one key and body, one act, and one answer to the byte."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from serving_credit_files import FIRM, RECORDS, penalty, shelve
from serving_post_harness import MADE, PostHarness
from serving_post_requests import LISTS, PostRequest, send, simulate_kill
from serving_webhook_receiver import WebhookReceiver
from serving_world import PURPOSE, TODAY

from credit.actor import Actor
from credit.errors import Broken
from credit.ledger.entry import Entry
from credit.suppression import suppress
from serving.audit.group_commit import GroupCommitWriter
from serving.auth.access_database import AccessDatabase
from serving.http.products import IDEMPOTENCY_KEY
from serving.store.store import statement

SALTED = {"/v1/scores/live", "/v1/scores/facts", "/v1/evaluations", "/v1/reports/special"}
SALTED |= {f"/v1/queries/{name}" for name in LISTS}


@pytest.fixture
def harness(serve: Any, world: Any) -> Iterator[PostHarness]:
    shelve(world)
    with serve(webhooks_to_loopback=True, chores=False) as running, WebhookReceiver() as receiver:
        yield PostHarness(running, receiver)


def test_there_is_no_post_without_a_key_and_none_that_is_not_tested_here(harness: PostHarness) -> None:
    document = harness.running.http.app.app.openapi()
    posts = {path: item["post"] for path, item in document["paths"].items() if "post" in item and "/v1/" in path}
    assert {path for path, operation in posts.items() if IDEMPOTENCY_KEY in operation["parameters"]} == set(posts)
    assert set(posts) - set(harness.requests) == {"/v1/deliveries/{name}/resend"}  # which takes a dead letter


def test_one_key_one_answer_to_the_byte_and_one_act(harness: PostHarness) -> None:
    for path, request in harness.requests.items():
        before = harness.count(path)
        first = harness.post(path)
        assert first.status_code == 200, (path, first.text)
        once = harness.count(path)
        deliveries = len(harness.receiver.received)
        again = harness.post(path)
        assert (again.content, again.headers["content-type"]) == (first.content, first.headers["content-type"]), path
        assert (harness.count(path), len(harness.receiver.received)) == (once, deliveries), path
        assert once > before, path
        if request.other is not None:
            other = harness.post(path, sent=request.other)
            assert (other.status_code, other.json()["title"]) == (
                422, "This idempotency key was used for another request"
            ), path  # fmt: skip
        new = harness.post(path, key="k2")
        assert (new.status_code, new.content == first.content) == (200, False), path
        theirs = harness.post(path, bank="jincheng" if request.bank == "bohai" else "bohai")
        assert theirs.content != first.content, path
    repeated = [entry for entry in harness.world.ledger.verified() if entry.verb.endswith(".repeated")]
    assert len(repeated) == len(harness.requests)
    assert {path: harness.rows(path) for path in MADE} == {
        "/v1/objections": 2, "/v1/watches": 2, "/v1/jobs": 3, "/v1/mandates": 3, "/v1/mandates/batch": 3,
        "/v1/outcomes": 1,
    }  # fmt: skip


@pytest.mark.attack
@pytest.mark.parametrize("key", [b"", b"k" * 129, b"a key", "授权".encode(), "é".encode("latin-1"), b"\x7f", b"a\tb"])
def test_what_is_no_key_is_refused_before_anything_is_done(harness: PostHarness, key: bytes) -> None:
    for path in harness.requests:
        before = harness.count(path)
        response = harness.post(path, key)
        assert (response.status_code, response.json()["title"]) == (422, "This is not an idempotency key"), path
        assert harness.count(path) == before
    assert harness.post("/v1/jobs", b"~" * 128).status_code == 200


@pytest.mark.attack
def test_many_at_once_with_one_key_are_one_act(harness: PostHarness) -> None:
    for path in (*MADE, "/v1/scores/batch", "/v1/webhook/trial"):
        before, deliveries = harness.count(path), len(harness.receiver.received)
        with ThreadPoolExecutor(8) as pool:
            responses = list(pool.map(lambda _, path=path: harness.post(path), range(8)))  # type: ignore[misc]
        assert {each.status_code for each in responses} == {200}
        assert len({each.content for each in responses}) == 1
        assert harness.count(path) == before + (2 if path == "/v1/scores/batch" else 1)
        assert len(harness.receiver.received) == deliveries + path.endswith("trial")
    assert {harness.rows(path) for path in MADE} == {1}


def test_what_a_killed_process_had_done_is_not_done_again(harness: PostHarness) -> None:
    for path in harness.requests:
        first, once, deliveries = harness.post(path), harness.count(path), len(harness.receiver.received)
        for table in ("answered", "made"):
            delete = statement(f"DELETE FROM {table} WHERE key <> ? OR bank NOT LIKE ?", b"k", f"% {path}")
            harness.running.http.app.service.store.run(delete)
        simulate_kill(harness.running)
        again = harness.post(path)
        assert again.status_code == 200, (path, again.text)
        assert harness.post(path).content == again.content
        if path in SALTED:  # what was salted cannot be made again: it is answered as a new one
            assert (harness.count(path), again.content == first.content) == (once + 1, False), path
        else:
            assert (again.content, harness.count(path), len(harness.receiver.received)) == (
                first.content,
                once,
                deliveries,
            ), path
    assert {harness.rows(path) for path in MADE} == {1}


class Faulty(GroupCommitWriter):
    """A ledger that fails once, before or after it took an entry."""

    def __init__(self, inner: GroupCommitWriter, verb: str, *, took: bool) -> None:
        self._inner, self._verb, self._took = inner, verb, took

    async def record(self, verb: str, object_: str, *, by: Actor, details: Mapping[str, Any]) -> Entry:
        if verb != self._verb:
            return await self._inner.record(verb, object_, by=by, details=details)
        self._verb = ""
        if self._took:
            await self._inner.record(verb, object_, by=by, details=details)
        raise Broken("The ledger could not be written")


@pytest.mark.parametrize("took", [False, True])
@pytest.mark.parametrize("path", [*MADE, "/v1/webhook/trial"])
def test_after_a_fault_the_same_key_goes_on_where_it_was_and_a_refusal_in_between_forgets_nothing(
    harness: PostHarness, path: str, took: bool
) -> None:
    app, before = harness.running.http.app, harness.count(path)
    service = app.service
    app.service = app.app.state.service = replace(
        service, ledger_writer=Faulty(service.ledger_writer, harness.requests[path].verb, took=took)
    )
    assert harness.post(path).status_code == 500
    access = AccessDatabase(harness.world.root / "access.db")
    access.disable_client("bohai")
    assert harness.post(path).status_code == 401
    access.disable_client("bohai", disabled=False)
    access.close()
    response = harness.post(path)
    assert response.status_code == 200, response.text
    assert harness.post(path).content == response.content
    assert harness.count(path) == before + 1
    if path in MADE:
        assert harness.rows(path) == 1
        made = response.json()
        kind = "outcomes" if path == "/v1/outcomes" else MADE[path]  # whose entry is of all events of a report
        name = (made["applications"][0]["application"] if path.endswith("batch") else made)[f"{kind}_id"]
        assert [entry.object for entry in harness.running.entries(harness.requests[path].verb)] == [name]
    app.service = app.app.state.service = service


def test_a_refusal_is_not_stored_and_its_cause_can_be_removed(harness: PostHarness) -> None:
    sent = harness.requests["/v1/jobs"]
    assert harness.post("/v1/jobs", sent={**sent.sent, "content": b"nonsense"}).status_code == 422
    for number in range(2):
        assert harness.post("/v1/jobs", f"k{number}").status_code == 200
    assert harness.post("/v1/jobs").status_code == 403  # two are not done
    for job in harness.running.http.get("/v1/jobs", headers=bearer(harness)).json()["jobs"]:
        harness.running.http.delete(f"/v1/jobs/{job['job_id']}", headers=bearer(harness))
    response = harness.post("/v1/jobs")
    assert response.status_code == 200
    for number in range(2):  # what was made stays made, whatever its state is now
        assert harness.post("/v1/jobs", f"k{number}").json()["state"] == "queued"
    assert harness.rows("/v1/jobs") == 3


@pytest.mark.attack
def test_a_key_opens_nothing_whose_mandate_was_revoked(harness: PostHarness) -> None:
    open_to_all = {"/v1/objections", "/v1/outcomes", "/v1/jobs", "/v1/webhook/trial", "/v1/evaluations",
                   "/v1/mandates", "/v1/mandates/batch"}  # fmt: skip
    first = {path: harness.post(path) for path in harness.requests}
    harness.revoke_all()
    for path, original in first.items():
        response = harness.post(path)
        if path == "/v1/scores/batch":
            assert [part["status"] for part in response.json()["answers"]] == [403, 403, 422]
            assert response.json()["answers"][2] == original.json()["answers"][2]
        elif path in open_to_all:  # their answers hold nothing that a mandate protects
            assert response.content == original.content, path
        else:
            assert response.status_code == 403, path
    assert {harness.rows(path) for path in MADE} == {1}


@pytest.mark.attack
def test_a_removed_record_is_not_shown_under_an_old_key(harness: PostHarness) -> None:
    path = "/v1/queries/penalties"
    first = harness.post(path)
    assert "罚1号" in first.text
    seal = shelve(harness.world, RECORDS | {FIRM: RECORDS[FIRM] | {"administrative_penalty": [penalty("罚2号")]}})
    harness.running.http.app.service.credit_files.refresh()
    response = harness.post(path)
    assert response.json()["snapshot"]["id"] == seal
    assert "罚1号" not in response.text
    assert harness.post(path).content == response.content  # and remembered from now on
    key = harness.running.http.app.service.credit_files._pseudonyms.key_of(FIRM).hex
    suppress(harness.world.shelf, "inquiry", [key], **notice(harness))
    harness.running.http.app.service.credit_files.refresh()
    assert harness.post(path).status_code == 503


@pytest.mark.attack
def test_a_repaired_subject_is_scored_again_in_a_batch_and_the_others_are_answered_as_they_were(
    harness: PostHarness,
) -> None:
    path, world, service = "/v1/scores/batch", harness.world, harness.running.http.app.service
    first = harness.post(path).json()["answers"]
    number = suppress(world.shelf, "scoring", [world.pseudonyms.key_of(FIRM).hex], **notice(harness)).number
    service.snapshots.suppression.refresh()
    suppressed = harness.post(path).json()["answers"]
    assert [part["status"] for part in suppressed] == [503, 503, 422]
    version = harness.running.seals["enterprise"][0]
    resealed = world.snapshot("enterprise", version, 40, notice=number)
    world.show("enterprise", version, resealed)
    service.snapshots.refresh()
    response = harness.post(path)
    parts = response.json()["answers"]
    assert [part["status"] for part in parts] == [200, 200, 422]
    assert {part["answer"]["snapshot"]["id"] for part in parts[:2]} == {resealed}
    assert parts[2] == first[2]
    assert harness.post(path).content == response.content


def test_a_batch_again_costs_one_call_and_the_same_in_another_language(harness: PostHarness) -> None:
    path = "/v1/scores/batch"
    first = harness.post(path)
    again = harness.post(path, sent={**harness.requests[path].sent, "headers": {"Accept-Language": "zh"}})
    third = harness.post(path)
    assert first.content == again.content == third.content
    left = [int(response.headers["ratelimit"].partition("r=")[2].partition(";")[0]) for response in (again, third)]
    assert left[0] - left[1] <= 1


def test_a_key_is_of_one_path_and_what_cannot_be_done_twice_takes_none(harness: PostHarness) -> None:
    body = {
        "json": {
            "uscc": FIRM,
            "purpose": PURPOSE,
            "mandate": harness.requests["/v1/scores"].sent["json"]["mandate"],
        }
    }
    responses = [
        send(harness.running, PostRequest(path, "", body, None), "k") for path in ("/v1/queries/taxes", "/v1/scores")
    ]
    assert [each.status_code for each in responses] == [200, 200]
    for method, path in (("PUT", "/v1/webhook"), ("GET", "/v1/watches"), ("DELETE", "/v1/watches/x")):
        refused = harness.running.http.request(method, path, headers={**bearer(harness), "Idempotency-Key": "k"})
        assert (refused.status_code, refused.json()["title"]) == (422, "This request takes no idempotency key")


def test_an_answer_is_deleted_after_a_day_also_without_another_request(harness: PostHarness, serve: Any) -> None:
    for path in ("/v1/queries/penalties", "/v1/watches"):
        assert harness.post(path).status_code == 200
    store = harness.running.http.app.service.store
    tables = ("answered", "made")
    for table in tables:
        assert len(store.run(statement(f"UPDATE {table} SET at = at - 86401 RETURNING id"))) == 1
    counts = [statement(f"SELECT count(*) FROM {table}") for table in tables]
    end = time.monotonic() + 30
    with serve(chores=False):  # as each service does once an hour, and when it starts
        while (left := [store.query(count) for count in counts]) != [[(0,)], [(0,)]] and time.monotonic() < end:
            time.sleep(0.01)
    assert left == [[(0,)], [(0,)]]


def bearer(harness: PostHarness) -> dict[str, str]:
    return {"Authorization": f"Bearer {harness.running.token()}"}


def notice(harness: PostHarness) -> dict[str, Any]:
    return {"today": TODAY, "forget_before": TODAY - timedelta(days=60), "key": harness.world.key("custody")}
