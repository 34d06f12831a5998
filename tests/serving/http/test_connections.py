"""Over real connections each request is answered once, by what is in it, signed, counted and in the ledger."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from itertools import chain
from typing import Any

import jwt
import pytest
from serving_service_thread import FIRM, OTHER, Connection, ServiceThread, full
from serving_world import PURPOSE, codes

from serving.app.products import PRODUCTS
from serving.audit.pending_entry import UNCONFIRMED
from serving.audit.signatures import HEADER, verify
from serving.auth.clients import RateLimit
from serving.endpoints.scores.replay import ReplayInput, replay
from serving.http.products import BodyLimits
from serving.idempotency.claim_table import ClaimTable
from serving.store.store import statement
from serving.store.transaction import StoreUnavailable


def test_an_answer_is_signed_counted_and_in_the_ledger(service_thread: ServiceThread) -> None:
    service_thread.endpoint.service.access.set_limit(
        "bohai", RateLimit(0.001, 50)
    )  # so slow that none comes back meanwhile
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    answers = [line.exchange(mandate) for _ in range(3)]
    bodies = []
    for status, headers, body in answers:
        assert status == 200
        verify(body, headers[HEADER.lower()], service_thread.world.ring)
        answer = json.loads(body)
        again = replay(answer["score_id"], service_thread.world.ledger, service_thread.endpoint.service.snapshots.shelf)
        assert again.digest == answer["receipt"]["digest"]
        bodies.append({k: v for k, v in answer.items() if k not in ("score_id", "receipt")})
    assert bodies[0] == bodies[1] == bodies[2]
    left = [int(headers["ratelimit"].split("r=")[1].split(";")[0]) for _, headers, _ in answers]
    assert left == [49, 48, 47]
    sequence_numbers = [json.loads(body)["receipt"]["seq"] for *_, body in answers]
    assert [entry.seq for entry in service_thread.entries("score.answered")] == sequence_numbers
    service_thread.stop()  # an answer leaves before it is counted
    assert b'haihe_calls_total{product="/v1/scores",status="200"} 3.0' in service_thread.endpoint.metrics.text(0)


@pytest.mark.attack
def test_requests_cut_or_run_together_are_answered_each_once_and_in_order(service_thread: ServiceThread) -> None:
    line = service_thread.line()
    first, second = (service_thread.world.grant("bohai", code).id for code in (FIRM, OTHER))
    assert line.exchange(first)[0] == 200
    one, two = line.request(first), line.request(second, OTHER)
    line.link.sendall(one + two + one)  # three in one packet
    line.link.sendall(two)
    for part in (one[:40], one[40:-5], one[-5:]):  # and one in three
        line.link.sendall(part)
    subjects = [json.loads(line.answer()[2])["uscc"] for _ in range(5)]
    assert subjects == [FIRM, OTHER, FIRM, OTHER, FIRM]
    for _ in range(20):  # each behind an answer that is under way
        line.link.sendall(one)
        line.link.sendall(two)
    assert [json.loads(line.answer()[2])["uscc"] for _ in range(40)] == [FIRM, OTHER] * 20
    assert len(service_thread.entries("score.answered")) == 46


@pytest.mark.attack
def test_each_request_of_several_banks_on_one_connection_is_decided_by_its_own_token(
    service_thread: ServiceThread,
) -> None:
    """The attacks on the first edition: requests of several callers in one read, then a forged token or none."""
    line, service = service_thread.line(), service_thread.endpoint.service
    tokens = {bank: service.tokens.sign(service.access.client(bank), "score") for bank in ("bohai", "jincheng")}
    mandates = {bank: service_thread.world.grant(bank, FIRM).id for bank in tokens}
    expected = []
    for one, another in (("bohai", "jincheng"), ("jincheng", "bohai")) * 3:
        sent = b""
        for token, bank, status in ((tokens[one], one, 200), (tokens[another], another, 200), ("forged", one, 401),
                                    (tokens[another], one, 403), (tokens[one], one, 200)):  # fmt: skip
            line.token = token
            sent += line.request(mandates[bank])
            expected.append((status, bank if status == 200 else None))
        line.link.sendall(sent)
    for status, bank in expected:
        got, _, body = line.answer()
        assert got == status
        entry = service_thread.world.ledger.about(json.loads(body)["score_id"])[0]
        assert bank is None or entry.by.name == bank


def test_answers_that_leave_together_have_one_signature_and_each_its_own_place_in_it(
    service_thread: ServiceThread,
) -> None:
    firms, lines = codes("enterprise", 6), [service_thread.line() for _ in range(30)]
    pairs = [(service_thread.world.grant("bohai", code).id, code) for code in firms] * 5
    for _ in range(10):
        for line, pair in zip(lines, pairs, strict=True):
            line.link.sendall(line.request(*pair))
        signatures, digests = set(), []
        for line, (_, code) in zip(lines, pairs, strict=True):
            status, headers, body = line.answer()
            assert (status, json.loads(body)["uscc"]) == (200, code)
            verify(body, headers[HEADER.lower()], service_thread.world.ring)
            signatures.add(headers[HEADER.lower()])
            digests.append(hashlib.sha256(body).hexdigest())
        listed = [jwt.decode(one, options={"verify_signature": False})["sha-256"] for one in signatures]
        assert sorted(chain.from_iterable(listed)) == sorted(digests)
        if len(signatures) < len(lines):
            return
    pytest.fail("none left together")


@pytest.mark.attack
def test_a_body_that_does_not_come_is_given_up_and_its_connection_closed(
    service_thread: ServiceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    assert line.exchange(mandate)[0] == 200
    hasty = replace(PRODUCTS["/v1/scores"], bounds=BodyLimits(seconds=0.2))
    monkeypatch.setitem(PRODUCTS, "/v1/scores", hasty)
    line.link.sendall(line.request(mandate)[:-9])
    status, headers, _ = line.answer()
    assert (status, headers["connection"]) == (408, "close")
    assert line.link.recv(1) == b""


@pytest.mark.attack
@pytest.mark.parametrize("path", ["/v1/scores", "/live", "/nothing"])
def test_a_refused_request_cannot_go_on_sending_its_body(service_thread: ServiceThread, path: str) -> None:
    line = service_thread.line()
    line.link.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n".encode())
    status, headers, _ = line.answer()
    assert (status in (401, 404, 405), headers["connection"]) == (True, "close")
    assert line.link.recv(1) == b""


@pytest.mark.parametrize("header", ["Connection: close", "Expect: 100-continue"])
def test_a_client_may_close_or_wait_to_continue(service_thread: ServiceThread, header: str) -> None:
    mandate, line = service_thread.world.grant("bohai", FIRM).id, service_thread.line()
    line.link.sendall(line.request(mandate, more=f"{header}\r\n"))
    if "100" in header:
        while not line.buffer.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            line.buffer += line.link.recv(65536)
        line.buffer = line.buffer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert line.answer()[0] == 200


@pytest.mark.attack
def test_when_the_disk_fails_for_a_moment_every_caller_gets_a_refusal_and_no_key_hangs(
    service_thread: ServiceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, mandate = [service_thread.line() for _ in range(20)], service_thread.world.grant("bohai", FIRM).id
    assert lines[0].exchange(mandate)[0] == 200
    with monkeypatch.context() as broken:
        broken.setattr(type(service_thread.endpoint.service.journal), "sync", full)
        for number, line in enumerate(lines):
            line.link.sendall(line.request(mandate, more=f"Idempotency-Key: k-{number % 5}\r\n"))
        statuses = [line.answer()[0] for line in lines]
    assert set(statuses) == {503}  # it will pass: a client that waits and tries again is answered
    assert service_thread.endpoint.under_way == 0
    for number, line in enumerate(lines):  # no slot is lost and no key hangs
        assert line.exchange(mandate, more=f"Idempotency-Key: k-{number % 5}\r\n")[0] == 200
    service_thread.stop()
    service_thread.endpoint.service.ledger_writer.close()
    noted = {entry.details["entry"] for entry in service_thread.entries(UNCONFIRMED)}
    answered = {entry.object for entry in service_thread.entries("score.answered")}
    repeated = {entry.object for entry in service_thread.entries("score.repeated")}
    written = {entry.id: entry.object for entry in service_thread.world.ledger.entries()}
    withdrawn = {written[entry] for entry in noted} & answered
    assert withdrawn <= repeated  # each was given later, under its key and its own entry
    assert service_thread.world.ledger.verify()


@pytest.mark.attack
def test_an_answer_that_could_not_be_stored_leaves_all_the_same_and_is_repeated(
    service_thread: ServiceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id

    def fail(*words: Any, **more: Any) -> None:
        raise StoreUnavailable("store.not-available")

    with monkeypatch.context() as broken:
        broken.setattr(ClaimTable, "_store_one", fail)
        first = line.exchange(mandate, more="Idempotency-Key: second\r\n")
    second = line.exchange(mandate, more="Idempotency-Key: second\r\n")
    assert (first[0], second[0]) == (200, 200)
    assert first[2] == second[2]
    assert len(service_thread.entries("score.answered")) == 1


@pytest.mark.attack
def test_a_store_that_is_full_for_a_moment_refuses_keyed_requests_and_no_key_hangs(
    service_thread: ServiceThread,
) -> None:
    mandate, store = service_thread.world.grant("bohai", FIRM).id, service_thread.endpoint.service.store
    lines = [service_thread.line() for _ in range(12)]
    assert lines[0].exchange(mandate, more="Idempotency-Key: before\r\n")[0] == 200
    store.run(lambda tx: tx.rows("INSERT INTO seen (name, until) VALUES (?, 0)", "x" * 40_000))
    ((most,),) = store.run(statement("PRAGMA max_page_count"))
    store.run(statement("PRAGMA max_page_count = 1"))  # that is, not a page more than there are
    with pytest.raises(StoreUnavailable):
        store.run(lambda tx: tx.rows("INSERT INTO seen (name, until) VALUES (?, 0)", "y" * 400_000))
    for number in range(300):  # until no key fits any more
        if lines[0].exchange(mandate, more=f"Idempotency-Key: fill-{number}\r\n")[0] == 503:
            break
    else:
        raise AssertionError("the store was never full")
    for number, line in enumerate(lines):
        line.link.sendall(line.request(mandate, more=f"Idempotency-Key: k-{number % 4}\r\n"))
    assert {line.answer()[0] for line in lines} == {503}
    assert lines[0].exchange(mandate)[0] == 200  # without a key nothing is stored
    store.run(statement(f"PRAGMA max_page_count = {most}"))
    answers = [line.exchange(mandate, more=f"Idempotency-Key: k-{number % 4}\r\n") for number, line in enumerate(lines)]
    assert {answer[0] for answer in answers} == {200}
    assert len({answer[2] for answer in answers}) == 4
    assert service_thread.endpoint.under_way == 0


def test_live_scores_replay(service_thread: ServiceThread) -> None:
    service, mandate = service_thread.endpoint.service, service_thread.world.grant("bohai", FIRM).id
    line = Connection(
        service_thread.port, service.tokens.sign(service.access.client("bohai"), "live"), "/v1/scores/live"
    )
    service_thread.lines.append(line)
    rows: list[dict[str, Any]] = [{"honours": 4.0}, {"honours": 2.125, "penalties_12m": None}, {"honours": 7.5}]
    for supplied in rows:
        request = {"uscc": FIRM, "purpose": PURPOSE, "mandate": mandate, "features": supplied}
        status, headers, body = line.exchange(mandate, body=json.dumps(request))
        assert status == 200
        verify(body, headers[HEADER.lower()], service_thread.world.ring)
        answer = json.loads(body)
        again = replay(
            answer["score_id"],
            service_thread.world.ledger,
            service_thread.world.shelf,
            ReplayInput(supplied, answer["brought"]["salt"]),
        )
        assert again.digest == answer["receipt"]["digest"]
    assert len(service_thread.entries("score.live")) == 3


@pytest.mark.attack
def test_an_answer_that_could_not_leave_has_an_entry_that_states_it(
    service_thread: ServiceThread,
) -> None:
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    assert line.exchange(mandate)[0] == 200
    line.link.sendall(line.request(mandate))
    line.link.shutdown(1)
    received = b""
    while chunk := line.link.recv(65536):
        received += chunk
    end = time.monotonic() + 5
    while time.monotonic() < end:
        answered, undelivered = (
            {entry.object for entry in service_thread.entries(verb)}
            for verb in ("score.answered", "answer.undelivered")
        )
        if received or len(answered) == 1 or len(undelivered) == 1:
            break
        time.sleep(0.02)
    assert len(answered - undelivered) == 1 + received.startswith(b"HTTP/1.1 200")
