"""The fast way says what the ordinary way says, only sooner; whatever it cannot answer, the ordinary way answers."""

from __future__ import annotations

import hashlib
import json
import socket
import sqlite3
import time
from dataclasses import replace
from itertools import chain
from typing import Any

import httpx
import jwt
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from serving_house import FIRM, OTHER, House, Line
from serving_world import PURPOSE, codes

from credit.actor import Actor
from serving.access.clients import Limit
from serving.access.mandates import revoke
from serving.ledger.repeats import Repeats
from serving.ledger.signatures import HEADER, verify
from serving.products.replay import Brought, replay
from serving.traces import Traced
from serving.wire import protocol
from serving.wire.products import PRODUCTS, Bounds

PLATFORM = Actor.parse("platform:wang")


def test_both_ways_give_the_same_answer_signed_counted_and_in_the_ledger(house: House) -> None:
    house.door.desk.access.set_limit("bohai", Limit(0.001, 50))  # so slow that none comes back meanwhile
    line, mandate = house.line(), house.world.grant("bohai", FIRM).id
    told = [line.ask(mandate) for _ in range(3)]
    assert house.taken == [True, True]  # the first head had to be read
    bodies = []
    for status, headers, body in told:
        assert status == 200
        verify(body, headers[HEADER.lower()], house.world.ring)
        answer = json.loads(body)
        again = replay(answer["score_id"], house.world.ledger, house.door.desk.library.shelf)
        assert again.digest == answer["receipt"]["digest"]
        bodies.append({k: v for k, v in answer.items() if k not in ("score_id", "receipt")})
    assert bodies[0] == bodies[1] == bodies[2]
    assert [sorted(headers) for _, headers, _ in told] == [sorted(told[0][1])] * 3
    left = [int(headers["ratelimit"].split("r=")[1].split(";")[0]) for _, headers, _ in told]
    assert left == [49, 48, 47]
    said = [json.loads(body)["receipt"]["seq"] for *_, body in told]
    assert [entry.seq for entry in house.entries("score.answered")] == said
    assert b'haihe_calls_total{product="/v1/scores",status="200"} 3.0' in house.door.metrics.text(0)


@pytest.mark.attack
@pytest.mark.parametrize("how", ["revoked", "disabled", "spent", "unknown", "words", "shape", "other"])
def test_what_may_not_be_answered_is_refused_as_on_the_ordinary_way_and_once(house: House, how: str) -> None:
    desk, world = house.door.desk, house.world
    line, mandate, lent = house.line(), world.grant("bohai", FIRM).id, world.grant("jincheng", FIRM).id
    unknown, size = codes("enterprise", 99)[-1], 18
    assert line.ask(mandate)[0] == line.ask(mandate)[0] == 200
    asked: dict[str, Any] = {"mandate": mandate}
    if how == "revoked":
        revoke(desk.access, mandate, by=PLATFORM, ledger=world.ledger)
    elif how == "disabled":
        desk.access.disable_client("bohai")
    elif how == "spent":
        desk.access.set_limit("bohai", Limit(0.001, 1))
        assert line.ask(mandate)[0] == 200
    elif how == "unknown":
        asked = {"mandate": world.grant("bohai", unknown).id, "code": unknown}
    elif how == "words":
        asked = {"mandate": mandate, "code": "９" * size}
    elif how == "shape":
        plain = json.dumps({"uscc": FIRM, "purpose": PURPOSE, "mandate": mandate})
        asked = {"mandate": mandate, "body": plain[:-1] + "]"}
    else:
        asked = {"mandate": lent}
    before = len(house.entries("score.refused"))
    slow = house.line().ask(**asked)
    quick = line.ask(**asked)
    status = {"disabled": 401, "spent": 429, "unknown": 404, "words": 422, "shape": 422}.get(how, 403)
    assert quick[0] == slow[0] == status
    told = [{k: v for k, v in json.loads(body).items() if k != "score_id"} for body in (slow[2], quick[2])]
    assert told[0] == told[1]
    assert len(house.entries("score.refused")) == before + 2


@pytest.mark.attack
def test_requests_cut_or_run_together_are_answered_each_once_and_in_order(house: House) -> None:
    line = house.line()
    first, second = (house.world.grant("bohai", code).id for code in (FIRM, OTHER))
    assert line.ask(first)[0] == 200
    one, two = line.request(first), line.request(second, OTHER)
    assert len(one) == len(two)
    line.link.sendall(one + two + one)  # three in one packet
    line.link.sendall(two)
    line.link.sendall(one[:40])  # and one in three
    time.sleep(0.05)
    line.link.sendall(one[40:-5])
    time.sleep(0.05)
    line.link.sendall(one[-5:])
    told = [json.loads(line.answer()[2])["uscc"] for _ in range(5)]
    assert told == [FIRM, OTHER, FIRM, OTHER, FIRM]
    for _ in range(20):  # each behind an answer that is under way
        line.link.sendall(one)
        line.link.sendall(two)
    assert [json.loads(line.answer()[2])["uscc"] for _ in range(40)] == [FIRM, OTHER] * 20
    assert len(house.entries("score.answered")) == 46


def test_answers_that_leave_together_have_one_signature_and_each_its_own_place_in_it(house: House) -> None:
    firms, lines = codes("enterprise", 6), [house.line() for _ in range(30)]
    asks = [(house.world.grant("bohai", code).id, code) for code in firms] * 5
    for line, ask in zip(lines, asks, strict=True):
        assert line.ask(*ask)[0] == 200
    for _ in range(10):
        for line, ask in zip(lines, asks, strict=True):
            line.link.sendall(line.request(*ask))
        told, digests = set(), []
        for line, (_, code) in zip(lines, asks, strict=True):
            status, headers, body = line.answer()
            assert (status, json.loads(body)["uscc"]) == (200, code)
            verify(body, headers[HEADER.lower()], house.world.ring)
            told.add(headers[HEADER.lower()])
            digests.append(hashlib.sha256(body).hexdigest())
        listed = [jwt.decode(one, options={"verify_signature": False})["sha-256"] for one in told]
        assert sorted(chain.from_iterable(listed)) == sorted(digests)
        if len(told) < len(lines):
            return
    pytest.fail("none left together")


@pytest.mark.attack
def test_a_body_of_another_length_under_the_same_head_smuggles_nothing(house: House) -> None:
    line, mandate = house.line(), house.world.grant("bohai", FIRM).id
    assert line.ask(mandate)[0] == 200
    line.link.sendall(line.request(mandate) + b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert line.answer()[0] == 200
    status, headers, _ = line.answer()
    assert (status, headers["content-type"][:10]) == (200, "text/plain")
    assert house.taken == []


def test_as_clients_send_it_a_body_in_a_write_of_its_own_and_a_number_on_each_request_go_the_fast_way(
    house: House,
) -> None:
    line, mandate = house.line(), house.world.grant("bohai", FIRM).id
    line.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for number in range(4):
        more = f"Connection: keep-alive\r\ntraceparent: 00-{number:032x}-{number:016x}-01\r\nX-Request-ID: {number}\r\n"
        head, body = line.request(mandate, more=more).split(b"\r\n\r\n")
        for part in (head + b"\r\n\r\n", body[:9], body[9:]):
            line.link.sendall(part)
            time.sleep(0.02)
        assert line.answer()[0] == 200
    assert house.taken == [True] * 3
    assert len(house.entries("score.answered")) == 4


def test_behind_a_proxy_a_connection_is_several_banks_and_each_has_its_own_answers(house: House) -> None:
    line, desk = house.line(), house.door.desk
    banks = {
        bank: (desk.tokens.sign(desk.access.client(bank), "score"), house.world.grant(bank, FIRM).id)
        for bank in ("bohai", "jincheng")
    }
    told = []
    for turn in range(6):
        bank = ("bohai", "jincheng")[turn % 2]
        line.token, mandate = banks[bank]
        status, _, body = line.ask(mandate)
        assert status == 200
        told.append((bank, json.loads(body)["score_id"]))
    assert house.taken == [True] * 4
    assert [(entry.by.name, entry.object) for entry in house.entries("score.answered")] == told
    line.token = banks["bohai"][0]
    assert line.ask(banks["jincheng"][1])[0] == 403


def test_more_heads_than_are_kept_are_answered_as_well(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADS", 2)
    line, mandate = house.line(), house.world.grant("bohai", FIRM).id
    for agent in (1, 2, 3, 2, 1, 3):  # two and three are known when they come again; then one is not, nor three
        assert line.ask(mandate, more=f"User-Agent: {agent}\r\n")[0] == 200
    assert house.taken == [True]


def test_a_key_goes_the_fast_way_once_and_is_answered_again_to_the_byte(house: House) -> None:
    line, mandate = house.line(), house.world.grant("bohai", FIRM).id
    told = [line.ask(mandate, more=f"Idempotency-Key: loan-{number}\r\n")[2] for number in (1, 2, 3, 2, 3, 1)]
    assert house.taken == [True, True, False, False, False]
    assert told[:3] == [told[5], told[3], told[4]]
    assert len(set(told)) == len(house.entries("score.answered")) == len(house.entries("score.repeated")) == 3
    for name in ("é", "", "k" * 129):
        assert line.ask(mandate, more=f"Idempotency-Key: {name}\r\n")[0] == 422
    other = house.world.grant("bohai", OTHER).id
    assert line.ask(other, OTHER, more="Idempotency-Key: loan-1\r\n")[0] == 422
    assert line.ask(other, OTHER, more="Idempotency-Key: loan-4\r\n")[0] == 200


def test_one_key_over_many_connections_at_once_is_one_answer(house: House) -> None:
    lines, mandate = [house.line() for _ in range(8)], house.world.grant("bohai", FIRM).id
    for number, line in enumerate(lines):
        assert line.ask(mandate, more=f"Idempotency-Key: own-{number}\r\n")[0] == 200
    for turn in range(10):
        for line in lines:
            line.link.sendall(line.request(mandate, more=f"Idempotency-Key: all-{turn}\r\n"))
        assert len({line.answer()[2] for line in lines}) == 1
    assert len(house.entries("score.answered")) == len(lines) + 10
    assert True in house.taken


@pytest.mark.attack
def test_a_key_is_free_again_when_its_call_was_refused_and_kept_when_the_ledger_failed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, mandate, desk = house.line(), house.world.grant("bohai", FIRM).id, house.door.desk
    assert line.ask(mandate, more="Idempotency-Key: first\r\n")[0] == 200
    desk.access.set_limit("bohai", Limit(0.001, 1))
    assert line.ask(mandate, more="Idempotency-Key: second\r\n")[0] == 200
    assert line.ask(mandate, more="Idempotency-Key: third\r\n")[0] == 429
    desk.access.set_limit("bohai", Limit(1000, 1000))
    time.sleep(0.02)
    other = house.world.grant("bohai", OTHER).id
    assert line.ask(other, OTHER, more="Idempotency-Key: third\r\n")[0] == 200  # it is nobody's

    with monkeypatch.context() as broken:
        broken.setattr(type(desk.journal), "sync", _full)
        assert line.ask(mandate, more="Idempotency-Key: fourth\r\n")[0] == 500
    told = [line.ask(mandate, more="Idempotency-Key: fourth\r\n") for _ in range(2)]
    assert [status for status, *_ in told] == [200, 200]
    assert told[0][2] == told[1][2]
    assert len(house.entries("score.answered")) == 4  # what was written when it failed is what is given now


@pytest.mark.attack
def test_an_answer_that_could_not_be_remembered_is_given_once_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, mandate = house.line(), house.world.grant("bohai", FIRM).id
    assert line.ask(mandate, more="Idempotency-Key: first\r\n")[0] == 200
    really, failing = Repeats._remember, [True]

    def remember(*words: Any) -> None:
        if failing.pop():
            failing.append(False)
            raise sqlite3.OperationalError("database or disk is full")
        failing.append(False)
        really(*words)

    monkeypatch.setattr(Repeats, "_remember", remember)
    told = [line.ask(mandate, more="Idempotency-Key: second\r\n") for _ in range(2)]
    assert [status for status, *_ in told] == [200, 200]
    assert told[0][2] == told[1][2]
    assert len(house.entries("score.answered")) == 2


def test_a_library_that_knows_nothing_of_it_goes_the_fast_way(house: House) -> None:
    mandate, token = house.world.grant("bohai", FIRM).id, house.line().token
    asked = {"uscc": FIRM, "purpose": PURPOSE, "mandate": mandate}
    with httpx.Client(base_url=f"http://127.0.0.1:{house.port}", headers={"Authorization": f"Bearer {token}"}) as bank:
        assert [bank.post("/v1/scores", json=asked).status_code for _ in range(5)] == [200] * 5
    assert house.taken == [True] * 4


def test_a_traced_service_has_a_fast_way_and_its_spans_go_on_from_the_callers(house: House) -> None:
    spans = InMemorySpanExporter()
    traced = Traced(house.door, spans)
    house.fast.tell = traced.tell
    line, mandate = house.line(), house.world.grant("bohai", FIRM).id
    carried = ["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n", "", "traceparent: \r\n"]
    for more in carried:
        for _ in range(2):
            assert line.ask(mandate, more=more)[0] == 200
    traced.close()
    assert house.taken == [True] * 4  # the third begins with the first one's head: another trace is no other head
    told = spans.get_finished_spans()
    assert [span.name for span in told] == ["POST /v1/scores"] * 4
    wanted = {"http.request.method": "POST", "http.route": "/v1/scores", "http.response.status_code": 200}
    assert [dict(span.attributes or {}) for span in told] == [wanted] * 4
    parents = [span.parent and (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") for span in told]
    assert parents == [("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"), None, None, None]


@pytest.mark.attack
def test_a_body_that_does_not_come_is_waited_for_on_the_ordinary_way_and_then_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.05)
    line, mandate = house.line(), house.world.grant("bohai", FIRM).id
    assert line.ask(mandate)[0] == 200
    asked = line.request(mandate)
    line.link.sendall(asked[:-9])
    time.sleep(0.3)
    line.link.sendall(asked[-9:])
    assert line.answer()[0] == 200  # late, and in time for the ordinary way
    hasty = replace(PRODUCTS["/v1/scores"], bounds=Bounds(seconds=0.2))
    monkeypatch.setitem(PRODUCTS, "/v1/scores", hasty)
    line.link.sendall(asked[:-9])
    assert line.answer()[0] == 408
    assert house.taken == []


def test_a_service_that_stops_still_answers_a_request_that_has_begun(house: House) -> None:
    line, mandate = house.line(), house.world.grant("bohai", FIRM).id
    assert line.ask(mandate)[0] == 200
    asked = line.request(mandate)
    line.link.sendall(asked[:-9])
    time.sleep(0.1)
    house.server.should_exit = True
    time.sleep(0.3)
    line.link.sendall(asked[-9:])
    assert line.answer()[0] == 200


@pytest.mark.parametrize("header", ["Connection: close", "Expect: 100-continue"])
def test_what_asks_for_more_than_an_answer_goes_the_ordinary_way(house: House, header: str) -> None:
    mandate = house.world.grant("bohai", FIRM).id
    line = house.line()
    assert line.ask(mandate, more=f"{header}\r\n")[0] == 200
    if "close" not in header:
        assert line.ask(mandate, more=f"{header}\r\n")[0] == 200
    assert house.taken == []


def test_when_the_ledger_fails_nothing_is_answered_and_when_it_is_back_all_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, mandate = house.line(), house.world.grant("bohai", FIRM).id
    assert line.ask(mandate)[0] == 200
    with monkeypatch.context() as broken:
        broken.setattr(type(house.door.desk.journal), "sync", _full)
        assert line.ask(mandate)[0] == 500
    assert house.taken == [True]
    assert line.ask(mandate)[0] == line.ask(mandate)[0] == 200
    assert house.door.under_way == 0


def _full(journal: Any) -> None:
    raise OSError(28, "No space left on device")


def test_live_scores_go_the_fast_way_once_the_trees_are_read_and_replay(house: House) -> None:
    desk, mandate = house.door.desk, house.world.grant("bohai", FIRM).id
    line = Line(house.port, desk.tokens.sign(desk.access.client("bohai"), "live"), "/v1/scores/live")
    house.lines.append(line)
    rows: list[dict[str, Any]] = [{"honours": 4.0}, {"honours": 2.125, "penalties_12m": None}, {"honours": 7.5}]
    for brought in rows:
        asked = {"uscc": FIRM, "purpose": PURPOSE, "mandate": mandate, "features": brought}
        status, headers, body = line.ask(mandate, body=json.dumps(asked))
        assert status == 200
        verify(body, headers[HEADER.lower()], house.world.ring)
        told = json.loads(body)
        again = replay(
            told["score_id"], house.world.ledger, house.world.shelf, Brought(brought, told["brought"]["salt"])
        )
        assert again.digest == told["receipt"]["digest"]
    assert house.taken == [True, True]
    plain = {"uscc": FIRM, "purpose": PURPOSE, "mandate": mandate, "features": {"nobody": 1.0}}
    assert line.ask(mandate, body=json.dumps(plain))[0] == 422
    assert len(house.entries("score.live")) == 3
