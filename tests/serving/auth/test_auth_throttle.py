"""A client without a secret cannot keep the service busy with wrong ones: others get their tokens and answers."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest

from serving.app.create import create_app
from serving.auth.auth_throttle import MOST, MOST_OF_ADDRESS, THREADS, AuthThrottle
from serving.errors import Overloaded


@pytest.mark.attack
def test_one_address_waits_in_its_own_line_and_all_lines_have_an_end() -> None:
    async def all_() -> None:
        throttle, go = AuthThrottle(), threading.Event()
        takes = [asyncio.create_task(throttle.take("a", lambda: go.wait(30))) for _ in range(MOST_OF_ADDRESS)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await throttle.take("a", go.wait)
        for number in range(MOST - MOST_OF_ADDRESS):
            takes.append(asyncio.create_task(throttle.take(f"b{number}", lambda: go.wait(30))))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await throttle.take("c", go.wait)
        assert await asyncio.to_thread(lambda: "free") == "free"  # no check runs in the loop's own threads
        takes.pop(1).cancel()  # who hangs up gives its place back only when its turn is over
        go.set()
        assert await asyncio.gather(*takes) == [True] * (MOST - 1)
        assert await throttle.take("c", lambda: 3) == 3
        with pytest.raises(KeyError):
            await throttle.take("c", lambda: {}[0])
        assert throttle._waiting.total() <= THREADS
        throttle.close()

    asyncio.run(all_())


@pytest.mark.attack
def test_a_flood_of_wrong_secrets_gets_503_with_retry_after_and_banks_at_other_addresses_get_tokens(
    world: Any, template: Any
) -> None:
    async def all_() -> tuple[list[httpx.Response], httpx.Response]:
        app = create_app(world.settings(chores=False))
        form = {"grant_type": "client_credentials"}
        async with app.app.router.lifespan_context(app.app):
            there, here = (
                httpx.AsyncClient(
                    transport=httpx.ASGITransport(app=app, client=(peer, 1)), base_url="http://testserver", timeout=60
                )
                for peer in ("203.0.113.9", "198.51.100.1")
            )
            flood = [
                asyncio.create_task(there.post("/oauth2/token", data=form, auth=("nobody", str(n)))) for n in range(60)
            ]
            await asyncio.sleep(0.05)
            good = await here.post("/oauth2/token", data=form, auth=("bohai", template[1]["bohai"]))
            responses = await asyncio.gather(*flood)
            await there.aclose()
            await here.aclose()
            return responses, good

    responses, good = asyncio.run(all_())
    assert good.status_code == 200
    assert {one.status_code for one in responses} == {401, 503}
    shed = [one for one in responses if one.status_code == 503]
    assert {(one.headers["retry-after"], one.headers["content-type"]) for one in shed} == {
        ("1", "application/problem+json")
    }
    assert sum(entry.verb == "token.refused" for entry in world.ledger.entries()) == len(responses) - len(shed)
