"""The fast way says what the ordinary way says, only sooner; whatever it cannot answer, the ordinary way answers."""

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

from credit.actor import Actor
from serving.app.products import PRODUCTS
from serving.audit.signatures import HEADER, verify
from serving.auth.clients import RateLimit
from serving.auth.mandates import revoke
from serving.endpoints.scores.replay import ReplayInput, replay
from serving.http.products import BodyLimits
from serving.wire import protocol

PLATFORM = Actor.parse("platform:wang")


def test_both_ways_give_the_same_answer_signed_counted_and_in_the_ledger(service_thread: ServiceThread) -> None:
    service_thread.endpoint.service.access.set_limit(
        "bohai", RateLimit(0.001, 50)
    )  # so slow that none comes back meanwhile
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    answers = [line.exchange(mandate) for _ in range(3)]
    assert service_thread.fast_path_used == [True, True]  # the first head had to be read
    bodies = []
    for status, headers, body in answers:
        assert status == 200
        verify(body, headers[HEADER.lower()], service_thread.world.ring)
        answer = json.loads(body)
        again = replay(answer["score_id"], service_thread.world.ledger, service_thread.endpoint.service.snapshots.shelf)
        assert again.digest == answer["receipt"]["digest"]
        bodies.append({k: v for k, v in answer.items() if k not in ("score_id", "receipt")})
    assert bodies[0] == bodies[1] == bodies[2]
    assert [sorted(headers) for _, headers, _ in answers] == [sorted(answers[0][1])] * 3
    left = [int(headers["ratelimit"].split("r=")[1].split(";")[0]) for _, headers, _ in answers]
    assert left == [49, 48, 47]
    sequence_numbers = [json.loads(body)["receipt"]["seq"] for *_, body in answers]
    assert [entry.seq for entry in service_thread.entries("score.answered")] == sequence_numbers
    service_thread.stop()  # an answer leaves before it is counted
    assert b'haihe_calls_total{product="/v1/scores",status="200"} 3.0' in service_thread.endpoint.metrics.text(0)


@pytest.mark.attack
@pytest.mark.parametrize("how", ["revoked", "disabled", "spent", "unknown", "words", "shape", "other"])
def test_what_may_not_be_answered_is_refused_as_on_the_ordinary_way_and_once(
    service_thread: ServiceThread, how: str
) -> None:
    service, world = service_thread.endpoint.service, service_thread.world
    line, mandate, foreign = service_thread.line(), world.grant("bohai", FIRM).id, world.grant("jincheng", FIRM).id
    unknown, size = codes("enterprise", 99)[-1], 18
    assert line.exchange(mandate)[0] == line.exchange(mandate)[0] == 200
    request: dict[str, Any] = {"mandate": mandate}
    if how == "revoked":
        revoke(service.access, mandate, by=PLATFORM, ledger=world.ledger)
    elif how == "disabled":
        service.access.disable_client("bohai")
    elif how == "spent":
        service.access.set_limit("bohai", RateLimit(0.001, 1))
        assert line.exchange(mandate)[0] == 200
    elif how == "unknown":
        request = {"mandate": world.grant("bohai", unknown).id, "code": unknown}
    elif how == "words":
        request = {"mandate": mandate, "code": "９" * size}
    elif how == "shape":
        plain = json.dumps({"uscc": FIRM, "purpose": PURPOSE, "mandate": mandate})
        request = {"mandate": mandate, "body": plain[:-1] + "]"}
    else:
        request = {"mandate": foreign}
    before = len(service_thread.entries("score.refused"))
    slow = service_thread.line().exchange(**request)
    quick = line.exchange(**request)
    status = {"disabled": 401, "spent": 429, "unknown": 404, "words": 422, "shape": 422}.get(how, 403)
    assert quick[0] == slow[0] == status
    problems = [{k: v for k, v in json.loads(body).items() if k != "score_id"} for body in (slow[2], quick[2])]
    assert problems[0] == problems[1]
    assert len(service_thread.entries("score.refused")) == before + 2


@pytest.mark.attack
def test_requests_cut_or_run_together_are_answered_each_once_and_in_order(service_thread: ServiceThread) -> None:
    line = service_thread.line()
    first, second = (service_thread.world.grant("bohai", code).id for code in (FIRM, OTHER))
    assert line.exchange(first)[0] == 200
    one, two = line.request(first), line.request(second, OTHER)
    assert len(one) == len(two)
    line.link.sendall(one + two + one)  # three in one packet
    line.link.sendall(two)
    line.link.sendall(one[:40])  # and one in three
    time.sleep(0.05)
    line.link.sendall(one[40:-5])
    time.sleep(0.05)
    line.link.sendall(one[-5:])
    subjects = [json.loads(line.answer()[2])["uscc"] for _ in range(5)]
    assert subjects == [FIRM, OTHER, FIRM, OTHER, FIRM]
    for _ in range(20):  # each behind an answer that is under way
        line.link.sendall(one)
        line.link.sendall(two)
    assert [json.loads(line.answer()[2])["uscc"] for _ in range(40)] == [FIRM, OTHER] * 20
    assert len(service_thread.entries("score.answered")) == 46


def test_answers_that_leave_together_have_one_signature_and_each_its_own_place_in_it(
    service_thread: ServiceThread,
) -> None:
    firms, lines = codes("enterprise", 6), [service_thread.line() for _ in range(30)]
    pairs = [(service_thread.world.grant("bohai", code).id, code) for code in firms] * 5
    for line, pair in zip(lines, pairs, strict=True):
        assert line.exchange(*pair)[0] == 200
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
def test_a_body_of_another_length_under_the_same_head_smuggles_nothing(service_thread: ServiceThread) -> None:
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    assert line.exchange(mandate)[0] == 200
    line.link.sendall(line.request(mandate) + b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert line.answer()[0] == 200
    status, headers, _ = line.answer()
    assert (status, headers["content-type"][:10]) == (200, "text/plain")
    assert service_thread.fast_path_used == []


@pytest.mark.attack
def test_a_body_that_does_not_come_is_waited_for_on_the_ordinary_way_and_then_given_up(
    service_thread: ServiceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.05)
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    assert line.exchange(mandate)[0] == 200
    request = line.request(mandate)
    line.link.sendall(request[:-9])
    time.sleep(0.3)
    line.link.sendall(request[-9:])
    assert line.answer()[0] == 200  # late, and in time for the ordinary way
    hasty = replace(PRODUCTS["/v1/scores"], bounds=BodyLimits(seconds=0.2))
    monkeypatch.setitem(PRODUCTS, "/v1/scores", hasty)
    line.link.sendall(request[:-9])
    assert line.answer()[0] == 408
    assert service_thread.fast_path_used == []


def test_a_service_that_stops_still_answers_a_request_that_has_begun(service_thread: ServiceThread) -> None:
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    assert line.exchange(mandate)[0] == 200
    request = line.request(mandate)
    line.link.sendall(request[:-9])
    time.sleep(0.1)
    service_thread.server.should_exit = True
    time.sleep(0.3)
    line.link.sendall(request[-9:])
    assert line.answer()[0] == 200


@pytest.mark.parametrize("header", ["Connection: close", "Expect: 100-continue"])
def test_a_header_that_needs_more_than_an_answer_goes_the_slow_way(service_thread: ServiceThread, header: str) -> None:
    mandate = service_thread.world.grant("bohai", FIRM).id
    line = service_thread.line()
    assert line.exchange(mandate, more=f"{header}\r\n")[0] == 200
    if "close" not in header:
        assert line.exchange(mandate, more=f"{header}\r\n")[0] == 200
    assert service_thread.fast_path_used == []


def test_when_the_ledger_fails_nothing_is_answered_and_when_it_is_back_all_is(
    service_thread: ServiceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, mandate = service_thread.line(), service_thread.world.grant("bohai", FIRM).id
    assert line.exchange(mandate)[0] == 200
    with monkeypatch.context() as broken:
        broken.setattr(type(service_thread.endpoint.service.journal), "sync", full)
        assert line.exchange(mandate)[0] == 500
    assert service_thread.fast_path_used == [True]
    assert line.exchange(mandate)[0] == line.exchange(mandate)[0] == 200
    assert service_thread.endpoint.under_way == 0


def test_live_scores_go_the_fast_way_once_the_trees_are_read_and_replay(service_thread: ServiceThread) -> None:
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
    assert service_thread.fast_path_used == [True, True]
    plain = {"uscc": FIRM, "purpose": PURPOSE, "mandate": mandate, "features": {"nobody": 1.0}}
    assert line.exchange(mandate, body=json.dumps(plain))[0] == 422
    assert len(service_thread.entries("score.live")) == 3
