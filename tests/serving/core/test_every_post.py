"""Every POST of a bank takes an idempotency key by one law: one key and body, one act, and one answer to the byte."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from serving_asked_once import LISTS, Asked, everything, killed, send
from serving_bank_ear import Ear
from serving_dossiers import FIRM, RECORDS, penalty, shelve
from serving_world import PLATFORM, PURPOSE, TODAY

from credit.actor import Actor
from credit.entry import Entry
from credit.errors import Broken
from credit.suppression import suppress
from serving.audit.group_commit import GroupCommitWriter
from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import revoke
from serving.http.products import IDEMPOTENCY_KEY

MADE = {"/v1/objections": "objection", "/v1/watches": "watch", "/v1/jobs": "job"}  # path: table
PLACES = {"objection": "access.db", "watch": "watches.db", "job": "jobs.db"}
SALTED = {"/v1/scores/live", "/v1/scores/facts", "/v1/evaluations", *(f"/v1/queries/{name}" for name in LISTS)}


class House:
    """The service with everything that can be asked of it."""

    def __init__(self, running: Any, ear: Ear) -> None:
        self.running, self.world, self.ear = running, running.world, ear
        self.asked = everything(running, ear)

    def ask(self, path: str, key: str | bytes | None = "k", **more: Any) -> Any:
        return send(self.running, self.asked[path], key, **more)

    def count(self, path: str) -> int:
        return len(self.running.entries(self.asked[path].verb))

    def rows(self, path: str) -> int:
        table = MADE[path]
        with sqlite3.connect(self.world.root / PLACES[table]) as db:
            (count,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()
        db.close()
        return int(count)

    def revoke_all(self) -> None:
        access = AccessDatabase(self.world.root / "access.db")
        for (mandate,) in access.rows("SELECT id FROM mandate"):
            revoke(access, str(mandate), by=PLATFORM, ledger=self.world.ledger)
        access.close()


@pytest.fixture
def house(serve: Any, world: Any) -> Iterator[House]:
    shelve(world)
    with serve(webhooks_to_loopback=True, chores=False) as running, Ear() as ear:
        yield House(running, ear)


def test_there_is_no_post_without_a_key_and_none_that_is_not_asked_here(house: House) -> None:
    document = house.running.http.app.app.openapi()
    posts = {path: told["post"] for path, told in document["paths"].items() if "post" in told and "/v1/" in path}
    assert {path for path, told in posts.items() if IDEMPOTENCY_KEY in told["parameters"]} == set(posts)
    assert set(posts) - set(house.asked) == {"/v1/deliveries/{name}/resend"}  # which takes a dead letter


def test_one_key_one_answer_to_the_byte_and_one_act(house: House) -> None:
    for path, asked in house.asked.items():
        before = house.count(path)
        first = house.ask(path)
        assert first.status_code == 200, (path, first.text)
        once = house.count(path)
        heard = len(house.ear.heard)
        again = house.ask(path)
        assert (again.content, again.headers["content-type"]) == (first.content, first.headers["content-type"]), path
        assert (house.count(path), len(house.ear.heard)) == (once, heard), path
        assert once > before, path
        if asked.other is not None:
            other = house.ask(path, sent=asked.other)
            assert (other.status_code, other.json()["title"]) == (
                422, "This idempotency key was used for another request"
            ), path  # fmt: skip
        new = house.ask(path, key="k2")
        assert (new.status_code, new.content == first.content) == (200, False), path
        theirs = house.ask(path, bank="jincheng" if asked.bank == "bohai" else "bohai")
        assert theirs.content != first.content, path
    repeated = [entry for entry in house.world.ledger.verified() if entry.verb.endswith(".repeated")]
    assert len(repeated) == len(house.asked)
    assert {path: house.rows(path) for path in MADE} == {"/v1/objections": 2, "/v1/watches": 2, "/v1/jobs": 3}


@pytest.mark.attack
@pytest.mark.parametrize("key", [b"", b"k" * 129, b"a key", "授权".encode(), "é".encode("latin-1"), b"\x7f", b"a\tb"])
def test_what_is_no_key_is_refused_before_anything_is_done(house: House, key: bytes) -> None:
    for path in house.asked:
        before = house.count(path)
        told = house.ask(path, key)
        assert (told.status_code, told.json()["title"]) == (422, "This is not an idempotency key"), path
        assert house.count(path) == before
    assert house.ask("/v1/jobs", b"~" * 128).status_code == 200


@pytest.mark.attack
def test_many_at_once_with_one_key_are_one_act(house: House) -> None:
    for path in ("/v1/objections", "/v1/watches", "/v1/jobs", "/v1/scores/batch", "/v1/webhook/trial"):
        before, heard = house.count(path), len(house.ear.heard)
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(lambda _, path=path: house.ask(path), range(8)))  # type: ignore[misc]
        assert {each.status_code for each in told} == {200}
        assert len({each.content for each in told}) == 1
        assert house.count(path) == before + (2 if path.endswith("batch") else 1)
        assert len(house.ear.heard) == heard + path.endswith("trial")
    assert {house.rows(path) for path in MADE} == {1}


def test_what_a_killed_process_had_done_is_not_done_again(house: House) -> None:
    for path in house.asked:
        first, once, heard = house.ask(path), house.count(path), len(house.ear.heard)
        with sqlite3.connect(house.world.root / "calls.db") as db:
            for table in ("answered", "made"):
                db.execute(f"DELETE FROM {table} WHERE key <> ?", (b"k",))
                db.execute(f"DELETE FROM {table} WHERE bank NOT LIKE ?", (f"% {path}",))
        db.close()
        killed(house.running)
        again = house.ask(path)
        assert again.status_code == 200, (path, again.text)
        assert house.ask(path).content == again.content
        if path in SALTED:  # what was salted cannot be made again: it is answered as a new one
            assert (house.count(path), again.content == first.content) == (once + 1, False), path
        else:
            assert (again.content, house.count(path), len(house.ear.heard)) == (first.content, once, heard), path
    assert {house.rows(path) for path in MADE} == {1}


class Faulty(GroupCommitWriter):
    """A ledger of which nobody knows, once, whether it took an entry."""

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
    house: House, path: str, took: bool
) -> None:
    app, before = house.running.http.app, house.count(path)
    service = app.service
    app.service = app.app.state.service = replace(
        service, ledger_writer=Faulty(service.ledger_writer, house.asked[path].verb, took=took)
    )
    assert house.ask(path).status_code == 500
    access = AccessDatabase(house.world.root / "access.db")
    access.disable_client("bohai")
    assert house.ask(path).status_code == 401
    access.disable_client("bohai", disabled=False)
    access.close()
    told = house.ask(path)
    assert told.status_code == 200, told.text
    assert house.ask(path).content == told.content
    assert house.count(path) == before + 1
    if path in MADE:
        assert house.rows(path) == 1
        name = told.json()[f"{MADE[path]}_id"]
        assert [entry.object for entry in house.running.entries(house.asked[path].verb)] == [name]
    app.service = app.app.state.service = service


def test_a_refusal_is_not_remembered_and_its_cause_can_be_mended(house: House) -> None:
    sent = house.asked["/v1/jobs"]
    assert house.ask("/v1/jobs", sent={**sent.sent, "content": b"nonsense"}).status_code == 422
    for number in range(2):
        assert house.ask("/v1/jobs", f"k{number}").status_code == 200
    assert house.ask("/v1/jobs").status_code == 403  # two are not done
    for job in house.running.http.get("/v1/jobs", headers=bearer(house)).json()["jobs"]:
        house.running.http.delete(f"/v1/jobs/{job['job_id']}", headers=bearer(house))
    told = house.ask("/v1/jobs")
    assert told.status_code == 200
    for number in range(2):  # what was made stays made, whatever came of it
        assert house.ask("/v1/jobs", f"k{number}").json()["state"] == "queued"
    assert house.rows("/v1/jobs") == 3


@pytest.mark.attack
def test_a_key_opens_nothing_whose_mandate_was_taken_back(house: House) -> None:
    open_to_all = {"/v1/objections", "/v1/jobs", "/v1/webhook/trial", "/v1/evaluations"}
    first = {path: house.ask(path) for path in house.asked}
    house.revoke_all()
    for path, held in first.items():
        told = house.ask(path)
        if path == "/v1/scores/batch":
            assert [part["status"] for part in told.json()["answers"]] == [403, 403, 422]
            assert told.json()["answers"][2] == held.json()["answers"][2]
        elif path in open_to_all:  # they tell nothing under a mandate
            assert told.content == held.content, path
        else:
            assert told.status_code == 403, path
    assert {house.rows(path) for path in MADE} == {1}


@pytest.mark.attack
def test_a_record_that_is_gone_is_not_shown_under_an_old_key(house: House) -> None:
    path = "/v1/queries/penalties"
    first = house.ask(path)
    assert "罚1号" in first.text
    seal = shelve(house.world, RECORDS | {FIRM: RECORDS[FIRM] | {"administrative_penalty": [penalty("罚2号")]}})
    house.running.http.app.service.credit_files.refresh()
    told = house.ask(path)
    assert told.json()["snapshot"]["id"] == seal
    assert "罚1号" not in told.text
    assert house.ask(path).content == told.content  # and remembered from now on
    key = house.running.http.app.service.credit_files._pseudonyms.key_of(FIRM).hex
    suppress(house.world.shelf, "inquiry", [key], **notice(house))
    house.running.http.app.service.credit_files.refresh()
    assert house.ask(path).status_code == 503


@pytest.mark.attack
def test_a_repaired_subject_is_answered_anew_in_a_batch_and_the_others_as_they_were(house: House) -> None:
    path, world, service = "/v1/scores/batch", house.world, house.running.http.app.service
    first = house.ask(path).json()["answers"]
    number = suppress(world.shelf, "scoring", [world.pseudonyms.key_of(FIRM).hex], **notice(house)).number
    service.snapshots.suppression.refresh()
    held = house.ask(path).json()["answers"]
    assert [part["status"] for part in held] == [503, 503, 422]
    version = house.running.seals["enterprise"][0]
    anew = world.snapshot("enterprise", version, 40, notice=number)
    world.show("enterprise", version, anew)
    service.snapshots.refresh()
    told = house.ask(path)
    parts = told.json()["answers"]
    assert [part["status"] for part in parts] == [200, 200, 422]
    assert {part["answer"]["snapshot"]["id"] for part in parts[:2]} == {anew}
    assert parts[2] == first[2]
    assert house.ask(path).content == told.content


def test_a_batch_again_costs_one_call_and_the_same_in_another_language(house: House) -> None:
    path = "/v1/scores/batch"
    first = house.ask(path)
    again = house.ask(path, sent={**house.asked[path].sent, "headers": {"Accept-Language": "zh"}})
    third = house.ask(path)
    assert first.content == again.content == third.content
    left = [int(told.headers["ratelimit"].partition("r=")[2].partition(";")[0]) for told in (again, third)]
    assert left[0] - left[1] <= 1


def test_a_key_is_of_one_path_and_what_cannot_be_done_twice_takes_none(house: House) -> None:
    ask = {"json": {"uscc": FIRM, "purpose": PURPOSE, "mandate": house.asked["/v1/scores"].sent["json"]["mandate"]}}
    told = [send(house.running, Asked(path, "", ask, None), "k") for path in ("/v1/queries/taxes", "/v1/scores")]
    assert [each.status_code for each in told] == [200, 200]
    for method, path in (("PUT", "/v1/webhook"), ("GET", "/v1/watches"), ("DELETE", "/v1/watches/x")):
        refused = house.running.http.request(method, path, headers={**bearer(house), "Idempotency-Key": "k"})
        assert (refused.status_code, refused.json()["title"]) == (422, "This request takes no idempotency key")


def test_an_answer_is_forgotten_after_a_day_also_when_nobody_asks_again(house: House, serve: Any) -> None:
    for path in ("/v1/queries/penalties", "/v1/watches"):
        assert house.ask(path).status_code == 200
    with sqlite3.connect(house.world.root / "calls.db") as db:
        for table in ("answered", "made"):
            assert db.execute(f"UPDATE {table} SET at = at - 86401").rowcount == 1
        db.commit()
        with serve(chores=False):  # as each service does once an hour, and when it starts
            left = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("answered", "made")]
    db.close()
    assert left == [0, 0]


def bearer(house: House) -> dict[str, str]:
    return {"Authorization": f"Bearer {house.running.token()}"}


def notice(house: House) -> dict[str, Any]:
    return {"today": TODAY, "forget_before": TODAY - timedelta(days=60), "key": house.world.key("custody")}
