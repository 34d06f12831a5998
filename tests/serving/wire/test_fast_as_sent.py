"""What clients and proxies really send goes the fast way: bodies apart, keys, traces, several banks on a connection."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from serving_service_thread import FIRM, OTHER, ServiceThread, full
from serving_world import PURPOSE

from serving.auth.clients import RateLimit
from serving.idempotency.claim_table import ClaimTable
from serving.observability.traces import TracedApp
from serving.wire import protocol


def test_as_clients_send_it_a_body_in_a_write_of_its_own_and_a_number_on_each_request_go_the_fast_way(
    service_thread: ServiceThread,
) -> None:
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    line.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for number in range(4):
        more = f"Connection: keep-alive\r\ntraceparent: 00-{number:032x}-{number:016x}-01\r\nX-Request-ID: {number}\r\n"
        head, body = line.request(mandate, more=more).split(b"\r\n\r\n")
        for part in (head + b"\r\n\r\n", body[:9], body[9:]):
            line.link.sendall(part)
            time.sleep(0.02)
        assert line.answer()[0] == 200
    assert service_thread.fast_path_used == [True] * 3
    assert len(service_thread.entries("score.answered")) == 4


def test_on_a_proxys_connection_are_several_banks_and_each_has_its_own_answers(
    service_thread: ServiceThread,
) -> None:
    line, service = service_thread.line(), service_thread.endpoint.service
    banks = {
        bank: (service.tokens.sign(service.access.client(bank), "score"), service_thread.world.grant(bank, FIRM).id)
        for bank in ("bohai", "jincheng")
    }
    answered = []
    for turn in range(6):
        bank = ("bohai", "jincheng")[turn % 2]
        line.token, mandate = banks[bank]
        status, _, body = line.exchange(mandate)
        assert status == 200
        answered.append((bank, json.loads(body)["score_id"]))
    assert service_thread.fast_path_used == [True] * 4
    assert [(entry.by.name, entry.object) for entry in service_thread.entries("score.answered")] == answered
    line.token = banks["bohai"][0]
    assert line.exchange(banks["jincheng"][1])[0] == 403


def test_more_heads_than_are_kept_are_answered_as_well(
    service_thread: ServiceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEADS", 2)
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    for agent in (1, 2, 3, 2, 1, 3):  # two and three are known when they come again; then one is not, nor three
        assert line.exchange(mandate, more=f"User-Agent: {agent}\r\n")[0] == 200
    assert service_thread.fast_path_used == [True]


def test_a_key_goes_the_fast_way_once_and_is_answered_again_to_the_byte(service_thread: ServiceThread) -> None:
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    bodies = [line.exchange(mandate, more=f"Idempotency-Key: loan-{number}\r\n")[2] for number in (1, 2, 3, 2, 3, 1)]
    assert service_thread.fast_path_used == [True, True, False, False, False]
    assert bodies[:3] == [bodies[5], bodies[3], bodies[4]]
    assert (
        len(set(bodies))
        == len(service_thread.entries("score.answered"))
        == len(service_thread.entries("score.repeated"))
        == 3
    )
    for name in ("é", "", "k" * 129):
        assert line.exchange(mandate, more=f"Idempotency-Key: {name}\r\n")[0] == 422
    other = service_thread.world.grant("bohai", OTHER).id
    assert line.exchange(other, OTHER, more="Idempotency-Key: loan-1\r\n")[0] == 422
    assert line.exchange(other, OTHER, more="Idempotency-Key: loan-4\r\n")[0] == 200


def test_one_key_over_many_connections_at_once_is_one_answer(service_thread: ServiceThread) -> None:
    lines, mandate = [service_thread.line() for _ in range(8)], service_thread.world.grant("bohai", FIRM).id
    for number, line in enumerate(lines):
        assert line.exchange(mandate, more=f"Idempotency-Key: own-{number}\r\n")[0] == 200
    for turn in range(10):
        for line in lines:
            line.link.sendall(line.request(mandate, more=f"Idempotency-Key: all-{turn}\r\n"))
        assert len({line.answer()[2] for line in lines}) == 1
    assert len(service_thread.entries("score.answered")) == len(lines) + 10
    assert True in service_thread.fast_path_used


@pytest.mark.attack
def test_a_key_is_free_again_when_its_call_was_refused_and_kept_when_the_ledger_failed(
    service_thread: ServiceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, mandate, service = (
        service_thread.line(),
        service_thread.world.grant("bohai", FIRM).id,
        service_thread.endpoint.service,
    )
    assert line.exchange(mandate, more="Idempotency-Key: first\r\n")[0] == 200
    service.access.set_limit("bohai", RateLimit(0.001, 1))
    assert line.exchange(mandate, more="Idempotency-Key: second\r\n")[0] == 200
    assert line.exchange(mandate, more="Idempotency-Key: third\r\n")[0] == 429
    service.access.set_limit("bohai", RateLimit(1000, 1000))
    time.sleep(0.02)
    other = service_thread.world.grant("bohai", OTHER).id
    assert line.exchange(other, OTHER, more="Idempotency-Key: third\r\n")[0] == 200  # no stored answer has this key

    with monkeypatch.context() as broken:
        broken.setattr(type(service.journal), "sync", full)
        assert line.exchange(mandate, more="Idempotency-Key: fourth\r\n")[0] == 500
    answers = [line.exchange(mandate, more="Idempotency-Key: fourth\r\n") for _ in range(2)]
    assert [status for status, *_ in answers] == [200, 200]
    assert answers[0][2] == answers[1][2]
    assert len(service_thread.entries("score.answered")) == 4  # what was written when it failed is what is given now


@pytest.mark.attack
def test_an_answer_that_could_not_be_stored_is_given_once_all_the_same(
    service_thread: ServiceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    assert line.exchange(mandate, more="Idempotency-Key: first\r\n")[0] == 200
    really, failing = ClaimTable.store, [True]

    def remember(*words: Any) -> None:
        if failing.pop():
            failing.append(False)
            raise sqlite3.OperationalError("database or disk is full")
        failing.append(False)
        really(*words)

    monkeypatch.setattr(ClaimTable, "store", remember)
    answers = [line.exchange(mandate, more="Idempotency-Key: second\r\n") for _ in range(2)]
    assert [status for status, *_ in answers] == [200, 200]
    assert answers[0][2] == answers[1][2]
    assert len(service_thread.entries("score.answered")) == 2


def test_a_library_that_knows_nothing_of_it_goes_the_fast_way(service_thread: ServiceThread) -> None:
    mandate, token = service_thread.world.grant("bohai", FIRM).id, service_thread.line().token
    body = {"uscc": FIRM, "purpose": PURPOSE, "mandate": mandate}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{service_thread.port}", headers={"Authorization": f"Bearer {token}"}
    ) as bank:
        assert [bank.post("/v1/scores", json=body).status_code for _ in range(5)] == [200] * 5
    assert service_thread.fast_path_used == [True] * 4


def test_a_traced_service_has_a_fast_way_and_its_spans_go_on_from_the_callers(service_thread: ServiceThread) -> None:
    spans = InMemorySpanExporter()
    traced = TracedApp(service_thread.endpoint, spans)
    service_thread.fast.trace = traced.record
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    carried = ["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n", "", "traceparent: \r\n"]
    for more in carried:
        for _ in range(2):
            assert line.exchange(mandate, more=more)[0] == 200
    service_thread.stop()  # an answer leaves before its span is exported
    traced.close()
    assert (
        service_thread.fast_path_used == [True] * 4
    )  # the third begins with the first one's head: another trace is no other head
    finished = spans.get_finished_spans()
    assert [span.name for span in finished] == ["POST /v1/scores"] * 4
    wanted = {"http.request.method": "POST", "http.route": "/v1/scores", "http.response.status_code": 200}
    assert [dict(span.attributes or {}) for span in finished] == [wanted] * 4
    parents = [span.parent and (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") for span in finished]
    assert parents == [("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"), None, None, None]
