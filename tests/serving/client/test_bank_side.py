"""The bank's side: its own key instead of a secret, the service's keys by JWKS, watches and jobs, allowed networks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from haihe_client import (
    AsyncServiceClient,
    AuthenticationError,
    ClientKey,
    NotFoundError,
    ServiceClient,
    ServiceKeys,
    VerificationError,
)
from serving_bank_keys import BankKey
from serving_service_process import free_port, serving
from serving_webhook_receiver import WebhookReceiver
from serving_world import PURPOSE, codes

from credit.errors import Malformed
from serving.app.create import create_app
from serving.app.wiring import background_stores, open_service
from serving.auth.access_database import AccessDatabase
from serving.auth.dpop import thumbprint
from serving.endpoints.batch_jobs.job_scoring import work

GOOD, OTHER = codes("enterprise", 2)


@pytest.fixture
def access(world: Any) -> Any:
    opened = AccessDatabase(world.root / "access.db")
    yield opened
    opened.close()


class Wire(httpx.BaseTransport):
    """The service in this process, called as though from the address `peer`; stores the requests."""

    def __init__(self, http: Any, peer: str = "127.0.0.1") -> None:
        self._transport, self.sent = http._transport, []  # type: ignore[var-annotated]
        self._transport.client = (peer, 5)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.sent.append(request)
        answer = self._transport.handle_request(request)
        return httpx.Response(answer.status_code, content=answer.read(), headers=dict(answer.headers))


def client(running: Any, wire: Wire, **more: Any) -> ServiceClient:
    return ServiceClient("", "bohai", http=httpx.Client(transport=wire, base_url="http://testserver"), **more)


def test_with_a_key_of_its_own_a_bank_needs_no_secret_and_its_tokens_are_no_bearers(
    running: Any, access: AccessDatabase, tmp_path: Path
) -> None:
    own_key = ClientKey.load(tmp_path)
    assert ClientKey.load(tmp_path).jwk == own_key.jwk
    access.add_key("bohai", own_key.jwk)
    wire = Wire(running.http)
    bank = client(running, wire, key=own_key)
    keys = bank.learn_keys().keys
    assert keys.keys() == running.world.ring.keys["service"].keys()
    mandate = running.world.grant("bohai", GOOD).id
    assert bank.score(GOOD, PURPOSE, mandate)["uscc"] == GOOD
    sent = wire.sent[-1]
    assert sent.headers["authorization"].startswith("DPoP ")
    stolen = sent.headers["authorization"].partition(" ")[2]
    assert running.score(GOOD, mandate, token=stolen).status_code == 401
    again = running.http.post("/v1/scores", content=sent.content, headers={
        name: sent.headers[name] for name in ("authorization", "dpop", "content-type")})  # fmt: skip
    assert again.status_code == 401  # the proof was used
    access.remove_key("bohai", thumbprint(own_key.jwk))
    with pytest.raises(AuthenticationError):
        client(running, wire, key=own_key).score(GOOD, PURPOSE, mandate)


def test_keys_change_without_a_gap_two_at_a_time(running: Any, access: AccessDatabase, tmp_path: Path) -> None:
    keys = [ClientKey.load(tmp_path, name) for name in ("first", "second", "third")]
    mandate = running.world.grant("bohai", GOOD).id
    for number, new_key in enumerate(keys):
        if number == 2:
            with pytest.raises(Malformed, match="two keys"):
                access.add_key("bohai", new_key.jwk)
            access.remove_key("bohai", thumbprint(keys[0].jwk))
        access.add_key("bohai", new_key.jwk)
        access.add_key("bohai", new_key.jwk)  # a second time is no third key
        for valid_key in keys[max(0, number - 1) : number + 1]:
            assert client(running, Wire(running.http), key=valid_key).score(GOOD, PURPOSE, mandate)["uscc"] == GOOD


@pytest.mark.attack
def test_from_another_network_neither_secret_nor_token_nor_forwarded_word_opens(
    running: Any, access: AccessDatabase
) -> None:
    token, mandate = running.token(), running.world.grant("bohai", GOOD).id
    with pytest.raises(Malformed):
        access.set_networks("bohai", ["203.0.113.0/24", "not a network"])
    access.set_networks("bohai", ["203.0.113.0/24", "2001:db8::/32"])
    body = {"uscc": GOOD, "purpose": PURPOSE, "mandate": mandate}
    for peer, status in (("203.0.113.9", 200), ("::ffff:203.0.113.9", 200), ("2001:db8::7", 200), ("203.0.114.9", 401),
                         ("2001:db9::1", 401), ("127.0.0.1", 401), ("testclient", 401)):  # fmt: skip
        with httpx.Client(transport=Wire(running.http, peer), base_url="http://testserver") as http:
            headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "203.0.113.9"}
            assert http.post("/v1/scores", json=body, headers=headers).status_code == status, peer
            form = {"grant_type": "client_credentials"}
            response = http.post("/oauth2/token", data=form, auth=("bohai", running.secrets["bohai"]), headers=headers)
            assert response.status_code == status
    access.set_networks("bohai", [])
    assert running.score(GOOD, mandate, token=token).status_code == 200


@pytest.mark.attack
@pytest.mark.servers
def test_a_proxy_that_is_named_is_believed_in_its_own_word_and_no_caller_in_theirs(world: Any, template: Any) -> None:
    opened, form = AccessDatabase(world.root / "access.db"), {"grant_type": "client_credentials"}
    opened.set_networks("bohai", ["203.0.113.0/24"])
    opened.close()
    for proxies, forwarded, status in (
        ("127.0.0.1", "203.0.113.9", 200),
        ("127.0.0.1", "203.0.113.9, 198.51.100.1", 403),
        ("127.0.0.1", "", 403),
        ("", "203.0.113.9", 401),
    ):
        with serving(world, free_port(), HAIHE_SERVICE_PROXIES=proxies) as (url, _, _):
            headers = {"X-Forwarded-For": forwarded} if forwarded else {}
            response = httpx.post(
                f"{url}/oauth2/token", data=form, auth=("bohai", template[1]["bohai"]), headers=headers
            )
            assert response.status_code == status, (proxies, forwarded)


def test_watches_and_jobs_by_the_client_and_the_same_awaited(world: Any, template: Any) -> None:
    settings = world.settings(webhooks_to_loopback=True, chores=False)
    mandate, watched = world.grant("bohai", GOOD).id, world.grant("bohai", GOOD, purpose="post_loan_management").id
    service = open_service(settings)
    _, jobs = background_stores(service)
    service.snapshots.refresh()

    async def all_(url: str) -> None:
        app = create_app(settings)
        async with app.app.router.lifespan_context(app.app):
            http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver")
            async with AsyncServiceClient("", "bohai", template[1]["bohai"], http=http) as bank:
                await bank.learn_keys()
                assert (await bank.set_webhook(url))["url"] == url
                assert (await bank.try_webhook())["heard"] is True
                watch = (await bank.watch(GOOD, watched, ["grade_drop"]))["watch_id"]
                assert [each["watch_id"] for each in await bank.watches()] == [watch]
                assert (await bank.end_watch(watch))["ended"]
                assert await bank.deliveries() == []
                with pytest.raises(NotFoundError):
                    await bank.resend("msg_0")
                job = (await bank.send_job([(GOOD, PURPOSE, mandate), (OTHER, PURPOSE, mandate)]))["job_id"]
                assert await asyncio.to_thread(work, service, jobs)
                assert (await bank.job(job))["state"] == "done"
                assert await bank.jobs() == [await bank.job(job)]
                assert [row["status"] for row in await bank.job_result(job)] == ["200", "403"]
                assert (await bank.end_job(job))["state"] == "cancelled"
                assert (await bank.ready())["ready"] is True

    with WebhookReceiver() as receiver:
        asyncio.run(all_(receiver.url))
    service.ledger_writer.close()
    service.access.close()


@pytest.mark.attack
def test_a_set_of_keys_that_is_none_is_refused() -> None:
    for document in (
        {},
        {"keys": [{"crv": "Ed25519"}]},
        {"keys": [{"crv": "Ed25519", "x": "AAAA"}]},
        {"keys": 7},
        {"keys": ["x"]},
    ):
        with pytest.raises(VerificationError):
            ServiceKeys.of_jwks(document)
    assert ServiceKeys.of_jwks({"keys": [BankKey("ES256").jwk]}).keys == {}
