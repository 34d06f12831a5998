"""Too many calls are refused with a time to try again, slow calls are ended, and counts name no bank or subject."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from serving_world import codes

from serving.app.create import create_app
from serving.errors import TooSlow
from serving.http import body, token_endpoint
from serving.http.products import BodyLimits

CODE = codes("enterprise", 1)[0]


def scope() -> dict[str, Any]:
    return {"type": "http", "method": "POST", "path": "/v1/scores", "headers": [(b"host", b"x")]}


def test_calls_beyond_the_most_at_once_are_503_with_a_time_to_come_again(world: Any) -> None:
    async def all_() -> list[Any]:
        app, sent, gate = create_app(world.settings(most_at_once=2)), [], asyncio.Event()

        async def body() -> dict[str, Any]:
            await gate.wait()
            return {"type": "http.request", "body": b""}

        async def call(into: list[Any]) -> None:
            async def send(message: Any) -> None:
                into.append(message)

            await app(scope(), body, send)

        async with app.app.router.lifespan_context(app.app):
            token = app.app.state.service.tokens.sign(app.app.state.service.access.client("bohai"), "score")
            scope_ = {**scope(), "headers": [*scope()["headers"], (b"authorization", f"Bearer {token}".encode())]}

            async def wait_for_body() -> None:
                async def send(message: Any) -> None:
                    pass

                await app(scope_, body, send)

            waiting = [asyncio.create_task(wait_for_body()) for _ in range(2)]
            await asyncio.sleep(0.05)
            await call(sent)
            gate.set()
            await asyncio.gather(*waiting)
            after: list[Any] = []
            await call(after)
        return [sent[0], after[0]]

    shed, after = asyncio.run(all_())
    assert shed["status"] == 503
    assert (b"retry-after", b"1") in shed["headers"]
    assert after["status"] == 401


def test_a_body_that_does_not_arrive_is_given_up() -> None:
    async def never() -> dict[str, Any]:
        await asyncio.sleep(30)
        return {}

    async def call() -> None:
        await body.read_body(b"10", never, BodyLimits(seconds=0.05, late="routes.file-did-not-arrive"))

    with pytest.raises(TooSlow, match=r"The file did not arrive: 0\.05 seconds are given") as slow:
        asyncio.run(call())
    assert slow.value.status == 408


@pytest.mark.attack
def test_a_token_request_that_does_not_arrive_is_given_up(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(token_endpoint, "BOUNDS", BodyLimits(8192, 0.05))
    app, sent = create_app(world.settings(chores=False)), list[Any]()
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/oauth2/token", "raw_path": b"",
             "query_string": b"", "headers": [(b"host", b"x"), (b"content-length", b"10")],
             "client": ("203.0.113.9", 1)}  # fmt: skip

    async def never() -> dict[str, Any]:
        await asyncio.sleep(30)
        return {}

    async def send(message: Any) -> None:
        sent.append(message)

    async def call() -> None:
        async with app.app.router.lifespan_context(app.app):
            await app(scope, never, send)

    asyncio.run(call())
    assert sent[0]["status"] == 408


def test_prometheus_gets_counts_and_times_that_name_no_bank_and_no_subject(running: Any) -> None:
    mandate = running.world.grant("bohai", CODE).id
    assert running.score(CODE, mandate, token=running.fresh_token()).status_code == 200
    assert running.score(CODE, "none").status_code == 403
    metrics = running.http.get("/metrics").text
    assert 'haihe_calls_total{product="/v1/scores",status="200"} 1.0' in metrics
    assert 'haihe_calls_total{product="/v1/scores",status="403"} 1.0' in metrics
    assert 'haihe_call_seconds_count{product="/v1/scores"} 2.0' in metrics
    assert 'haihe_calls_total{product="/oauth2/token",status="200"} 1.0' in metrics
    headers = {"Authorization": f"Bearer {running.token()}"}
    assert running.http.get("/v1/watches", headers=headers).status_code == 200
    assert running.http.get(f"/v1/watches/{mandate}", headers=headers).status_code == 404
    metrics = running.http.get("/metrics").text
    assert 'haihe_calls_total{product="GET /v1/watches",status="200"} 1.0' in metrics
    assert 'haihe_calls_total{product="GET /v1/watches/{name}",status="404"} 1.0' in metrics
    for name in (CODE, "bohai", mandate, running.world.pseudonyms.hex_of(CODE)):
        assert name not in metrics
