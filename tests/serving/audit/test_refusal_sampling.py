"""Clients that send only refused requests do not fill the ledger, and the ledger still counts them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving_world import PURPOSE, codes

from credit.settings import BEIJING
from serving.audit.refusal_sampling import COUNTED, MOST, SECONDS, RefusalSampler
from serving.audit.usage import statement
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import RateLimit

GOOD = codes("enterprise", 1)[0]


@pytest.mark.attack
def test_a_flood_of_unknown_callers_is_a_few_entries_and_a_count(serve: Any) -> None:
    with serve() as running:
        body = {"uscc": GOOD, "purpose": PURPOSE, "mandate": "x"}
        responses = [running.http.post("/v1/scores", json=body) for _ in range(MOST + 40)]
        assert {response.status_code for response in responses} == {401}
        named = [response.json()["score_id"] for response in responses if "score_id" in response.json()]
        wrong = [running.http.post("/oauth2/token", data={"grant_type": "x"}).status_code for _ in range(30)]
        assert set(wrong) == {401}
        world = running.world
    entries = list(world.ledger.verified())
    refused = [entry.object for entry in entries if entry.verb == "score.refused"]
    assert refused == named
    assert len(refused) + sum(entry.verb == "token.refused" for entry in entries) == MOST
    (count,) = [entry for entry in entries if entry.verb == COUNTED]
    assert count.object == "nobody"
    assert count.details == {"bank": None, "counts": {"401": 40 + 30}}


@pytest.mark.attack
def test_a_bank_beyond_its_quota_is_counted_for_itself_and_is_in_its_statement(serve: Any) -> None:
    with serve() as running:
        world, token = running.world, running.token()
        access = AccessDatabase(world.root / "access.db")
        access.set_limit("bohai", RateLimit(0.0001, 1))
        access.close()
        mandate, theirs = world.grant("bohai", GOOD).id, world.grant("jincheng", GOOD).id
        statuses = [running.score(GOOD, mandate, token=token).status_code for _ in range(MOST + 26)]
        assert statuses == [200, *[429] * (MOST + 25)]
        assert running.score(GOOD, theirs, token=running.token("jincheng")).status_code == 200
    entries = list(world.ledger.verified())
    assert Counter(entry.verb for entry in entries if entry.verb.startswith(("score.refused", "refusals"))) == {
        "score.refused": MOST, COUNTED: 1
    }  # fmt: skip
    month = datetime.now(UTC).astimezone(BEIJING).strftime("%Y-%m")
    lines = {(line["product"], line["status"]): line["calls"] for line in statement(entries, month, "bohai")}
    assert lines[("refused", 429)] == MOST + 25


@given(st.lists(st.tuples(st.floats(0, 200), st.sampled_from(["", "a", "b"]), st.sampled_from([401, 429]))))
def test_what_is_no_entry_is_counted_and_no_minute_has_more_than_its_entries(
    calls: list[tuple[float, str, int]],
) -> None:
    now = [0.0]
    sampler, recorded, every = RefusalSampler(lambda: now[0]), Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    counted: Counter[tuple[str, int]] = Counter()
    for at, who, status in sorted(calls * 20):
        now[0] = at
        every[who, status] += 1
        if sampler.takes(who, status):
            recorded[who, status] += 1
        if int(at) % 7 == 0:
            for name, counts in sampler.counted():
                counted.update({(name, int(status)): count for status, count in counts.items()})
    for name, counts in sampler.counted():
        counted.update({(name, int(status)): count for status, count in counts.items()})
    assert recorded + counted == every
    minutes = 200 // SECONDS + 2
    assert all(sum(n for (name, _), n in recorded.items() if name == who) <= MOST * minutes for who in ("", "a", "b"))
