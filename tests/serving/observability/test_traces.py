"""Traces, where they are wanted, say method, route and status, go on from the caller's, and name no bank or subject."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from serving_service_process import free_port, serving
from serving_webhook_receiver import WebhookReceiver
from serving_world import PURPOSE, codes

from credit.errors import Malformed
from serving.observability.traces import CONSOLE

GOOD = codes("enterprise", 1)[0]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.attack
@pytest.mark.servers
def test_a_span_has_method_route_and_status_and_nothing_of_bank_or_subject(world: Any, template: Any) -> None:
    mandate, secret = world.grant("bohai", GOOD).id, template[1]["bohai"]
    with WebhookReceiver() as receiver:
        port, more = (
            free_port(),
            {"HAIHE_SERVICE_TRACES": f"http://127.0.0.1:{receiver.port}", "OTEL_BSP_SCHEDULE_DELAY": "50"},
        )
        with serving(world, port, **more) as (url, log, process):
            form = {"grant_type": "client_credentials"}
            token = httpx.post(f"{url}/oauth2/token", data=form, auth=("bohai", secret)).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
            request = {"uscc": GOOD, "purpose": PURPOSE, "mandate": mandate}
            with httpx.Client(headers=headers) as bank:  # the second goes the fast way
                first, again = (bank.post(f"{url}/v1/scores", json=request) for _ in range(2))
            httpx.get(f"{url}/v1/objections/{GOOD}", headers=headers)
            httpx.get(f"{url}/{GOOD}", headers=headers)
            process.terminate()
            process.wait(20)
        texts = [body.decode() for _, _, body in receiver.received]
    assert (first.status_code, again.status_code) == (200, 200)
    spans = [
        span for text in texts for one in json.loads(text)["resourceSpans"] for span in one["scopeSpans"][0]["spans"]
    ]
    traced = {span["name"]: span for span in spans if span["traceId"] == TRACE}
    scored = [span for span in spans if span["name"] == "POST /v1/scores"]
    assert [sorted(span) for span in scored] == [sorted(traced["POST /v1/scores"])] * 2
    assert all(int(span["startTimeUnixNano"]) < int(span["endTimeUnixNano"]) for span in scored)
    assert set(traced) == {"POST /v1/scores", "GET /v1/objections/{name}", "GET none"}
    assert traced["POST /v1/scores"]["parentSpanId"] == "00f067aa0ba902b7"
    assert {a["key"] for span in spans for a in span["attributes"]} == {
        "http.request.method", "http.route", "http.response.status_code"
    }  # fmt: skip
    for secret_ in (GOOD, "bohai", mandate, token, world.pseudonyms.hex_of(GOOD), first.json()["score_id"]):
        assert not any(secret_ in text for text in texts)
    assert GOOD not in log.read_text()


def test_a_place_of_traces_must_be_one(world: Any) -> None:
    assert not world.settings().traces
    assert world.settings(traces=CONSOLE).traces == CONSOLE
    with pytest.raises(Malformed):
        world.settings(traces="elsewhere")
