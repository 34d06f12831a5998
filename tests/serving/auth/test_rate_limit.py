"""A bank has so many calls and no more, a bank that tries codes runs out of them, and others do not notice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving_world import codes

from credit.errors import Malformed
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import RateLimit
from serving.auth.rate_limit import MISSES, Quotas
from serving.errors import TooMany

GOOD, OTHER = codes("enterprise", 2)


@given(rate=st.floats(0.5, 50), burst=st.integers(1, 50), waits=st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_over_any_time_no_more_is_given_than_burst_and_rate_allow_and_the_stated_wait_is_enough(
    rate: float, burst: int, waits: list[float]
) -> None:
    now, given_, limit = [0.0], 0, RateLimit(rate, burst)
    quotas = Quotas(lambda: now[0])
    for wait in waits:
        now[0] += wait
        try:
            quotas.take("bank", limit)
            given_ += 1
        except TooMany as refused:
            now[0] += refused.after
            quotas.take("bank", limit)
            given_ += 1
        assert given_ <= burst + rate * now[0] + 1e-6


def test_a_bank_over_its_limit_gets_429_and_another_bank_its_answer(running: Any) -> None:
    access = AccessDatabase(running.world.root / "access.db")
    mandate, theirs = running.world.grant("bohai", GOOD).id, running.world.grant("jincheng", GOOD).id
    token, other = running.token(), running.token("jincheng")
    access.set_limit("bohai", RateLimit(0.01, 3))
    access.close()
    responses = [running.score(GOOD, mandate, token=token) for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 200, 200, 429]
    assert [response.headers["ratelimit"].split(";")[1] for response in responses[:3]] == ["r=2", "r=1", "r=0"]
    assert responses[0].headers["ratelimit-policy"] == '"bank";q=3;w=300'
    assert 0 < int(responses[3].headers["retry-after"]) <= 100
    assert responses[3].json()["type"] == "urn:haihe:problem:too-many"
    assert running.score(GOOD, theirs, token=other).status_code == 200
    with pytest.raises(Malformed):
        RateLimit(0, 5)


@pytest.mark.attack
def test_trying_codes_ends_with_an_alarm_and_even_a_good_call_waits(running: Any) -> None:
    mandate, token = running.world.grant("bohai", GOOD).id, running.token()
    statuses = [running.score(OTHER, mandate, token=token).status_code for _ in range(int(MISSES.burst) + 5)]
    assert set(statuses[: int(MISSES.burst)]) == {403}
    assert set(statuses[int(MISSES.burst) :]) == {429}
    assert running.score(GOOD, mandate, token=token).status_code == 429
    (alarm,) = running.entries("enumeration.suspected")
    assert (alarm.object, alarm.details["bank"]) == ("bank-bohai", "bohai")
    theirs = running.world.grant("jincheng", GOOD).id
    assert running.score(GOOD, theirs, token=running.token("jincheng")).status_code == 200


def test_a_request_that_no_waiting_lets_through_is_refused_for_what_it_is() -> None:
    quotas, limit = Quotas(lambda: 1.0), RateLimit(10, 5)
    quotas.take("bohai", limit)
    quotas.take("bohai", limit, 4, counted=1)
    with pytest.raises(TooMany):
        quotas.take("bohai", limit, 4, counted=1)
    with pytest.raises(Malformed, match="smaller batches"):
        quotas.take("bohai", limit, 5, counted=1)
