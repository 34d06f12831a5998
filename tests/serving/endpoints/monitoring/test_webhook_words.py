"""What a webhook says and when: the verifier believes the service alone, now and once; changes follow their laws."""

from __future__ import annotations

import json
from typing import Any

import pytest
from haihe_client import ServiceKeys, VerificationError, WebhookRepeated, WebhookVerifier
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from serving.endpoints.monitoring.changes import KINDS, WatchedState, changes
from serving.endpoints.monitoring.delivery import Backoff
from serving.endpoints.monitoring.webhook_signing import new_secret, sign

GRADES = ("A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D")


@pytest.mark.attack
def test_the_verifier_rejects_a_webhook_that_was_changed_is_old_or_is_repeated(world: Any) -> None:
    key, body, now = world.key("service"), b'{"type":"watch.changed"}', 1_800_000_000.0
    clock = [now]
    webhooks = WebhookVerifier(ServiceKeys(world.ring.keys["service"]), clock=lambda: clock[0])
    good = sign("msg_1", body, key, now=now)
    for headers, message in (
        (good, body + b" "), (good | {"webhook-id": "msg_2"}, body),
        (good | {"webhook-timestamp": str(int(now) + 1)}, body),
        (good | {"webhook-signature": ""}, body), (good | {"webhook-signature": "v1a,AAAA"}, body),
        (good | {"webhook-signature": good["webhook-signature"].replace("v1a", "v1")}, body),
        (sign("msg_1", body, world.key("platform"), now=now), body),
        (good | {"webhook-timestamp": "now"}, body), ({}, body),
    ):  # fmt: skip
        with pytest.raises(VerificationError):
            webhooks.read(headers, message)
    for wrong in (now + 301, now - 301):
        clock[0] = wrong
        with pytest.raises(VerificationError, match="another time"):
            webhooks.read(good, body)
    clock[0] = now + 10
    rotated = {**good, "webhook-signature": f"v1a,AAAA {good['webhook-signature']}"}
    assert webhooks.read({name.title(): value for name, value in rotated.items()}, body)["type"] == "watch.changed"
    with pytest.raises(WebhookRepeated, match="before"):
        webhooks.read(good, body)


@given(tried=st.integers(1, 40))
def test_waits_grow_to_a_bound_and_end(tried: int) -> None:
    backoff, now = Backoff(), 1000.0
    at = backoff.next_at(tried, now)
    assert (at is None) == (tried >= backoff.attempts)
    if at is not None:
        whole = min(backoff.longest, backoff.first * 4 ** (tried - 1))
        assert whole / 2 <= at - now <= whole


states = st.builds(
    WatchedState, st.sampled_from(GRADES), st.just(()),
    st.fixed_dictionaries({"penalties_12m": st.none() | st.integers(0, 5).map(float),
                           "months_since_penalty": st.none() | st.integers(0, 36).map(float),
                           "dishonest_in_force": st.integers(0, 2).map(float)}),
)  # fmt: skip


@given(before=states, after=states)
def test_the_same_is_no_change_and_a_rise_one_way_is_a_fall_the_other(
    before: WatchedState, after: WatchedState
) -> None:
    assert changes(before, before, GRADES, KINDS) == []
    there = {c["kind"] for c in changes(before, after, GRADES, KINDS)}
    back = {c["kind"] for c in changes(after, before, GRADES, KINDS)}
    assert ("grade_drop" in there) == ("grade_rise" in back)
    fewer = (after.features["dishonest_in_force"] or 0) < (before.features["dishonest_in_force"] or 0)
    assert not fewer or "eased" in there
    assert not ("listing" in there and "listing" in back)
    assert changes(before, after, GRADES, ()) == []
    assert WatchedState.of_json(json.loads(json.dumps(after.as_json()))) == after


def test_the_reference_library_and_ours_verify_by_the_banks_secret(world: Any) -> None:
    """A webhook verifies by the reference library of Standard Webhooks, and for another secret by neither."""
    secret, body, key = new_secret(), '{"type":"watch.changed","data":{"名":"值"}}'.encode(), world.key("service")
    headers = sign("msg_1", body, key, secret)
    assert Webhook(secret).verify(body, headers) == json.loads(body)
    assert WebhookVerifier(secret=secret).read(headers, body) == json.loads(body)
    assert WebhookVerifier(ServiceKeys(world.ring.keys["service"])).read(headers, body) == json.loads(body)
    for changed in (body + b" ", body.replace(b"watch", b"match")):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(changed, headers)
        with pytest.raises(VerificationError):
            WebhookVerifier(secret=secret).read(headers, changed)
    for verify in (Webhook(new_secret()).verify, lambda *sent: WebhookVerifier(secret=new_secret()).read(*sent[::-1])):
        with pytest.raises((WebhookVerificationError, VerificationError)):
            verify(body, headers)
    assert "v1," not in sign("msg_1", body, key)["webhook-signature"]  # an address that was set before secrets were
    with pytest.raises(VerificationError):
        WebhookVerifier(secret="whsec_short")
