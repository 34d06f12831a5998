"""The client retries where that is safe, as one answer, verifies every answer, and works the same when awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, NotRequired, get_origin, get_type_hints, is_typeddict

import httpx
import pytest
from haihe_client import (
    AsyncServiceClient,
    AuthenticationError,
    PermissionDeniedError,
    RateLimitError,
    ServiceClient,
    ServiceKeys,
    UnavailableError,
    VerificationError,
    results,
)
from serving_world import PURPOSE, codes

from serving.app.create import create_app
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import RateLimit

GOOD, OTHER = codes("enterprise", 2)


class Wire(httpx.BaseTransport):
    """The service behind a transport that may intercept each request to `path` first."""

    def __init__(
        self,
        http: Any,
        intercept: Callable[[int, httpx.Request], httpx.Response | None],
        path: str = "/v1/scores",
        lost: int = 0,
    ) -> None:
        self._http, self._intercept, self.path, self._lost, self.sent = http, intercept, path, lost, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.url.path == self.path:
            self.sent += 1
            response = self._intercept(self.sent, request)
            if response is not None:
                return response
        answer = self._http.request(request.method, str(request.url.raw_path, "ascii"), content=request.content,
                                    headers=dict(request.headers))  # fmt: skip
        if request.url.path == self.path and self._lost == self.sent:
            raise httpx.ReadError("lost on the way back")
        return httpx.Response(answer.status_code, content=answer.content, headers=dict(answer.headers))


def client(running: Any, happens: Any, **more: Any) -> tuple[ServiceClient, Wire]:
    wire = Wire(running.http, happens, more.pop("path", "/v1/scores"), more.pop("lost", 0))
    http = httpx.Client(transport=wire, base_url="http://testserver")
    return ServiceClient("", "bohai", running.secrets["bohai"], http=http, **more), wire


def test_a_lost_answer_is_requested_again_and_recorded_once(running: Any) -> None:
    bank, wire = client(running, lambda *_: None, lost=1, keys=ServiceKeys(running.world.ring.keys["service"]))
    score = bank.score(GOOD, PURPOSE, running.world.grant("bohai", GOOD).id)
    assert wire.sent == 2
    assert [entry.object for entry in running.entries("score.answered")] == [score["score_id"]]
    assert [entry.object for entry in running.entries("score.repeated")] == [score["score_id"]]


def test_overload_is_retried_after_retry_after_until_patience_ends(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    bank, wire = client(running, lambda sent, _: httpx.Response(503, json={"title": "busy"}) if sent < 3 else None)
    assert bank.score(GOOD, PURPOSE, mandate)["uscc"] == GOOD
    assert wire.sent == 3
    bank, wire = client(running, lambda *_: httpx.Response(503, headers={"Retry-After": "60"}, json={"title": "stale"}))
    with pytest.raises(UnavailableError, match="stale"):
        bank.score(GOOD, PURPOSE, mandate)
    assert wire.sent == 1
    access = AccessDatabase(running.world.root / "access.db")
    access.set_limit("bohai", RateLimit(0.01, 1))
    access.close()
    bank, _ = client(running, lambda *_: None)
    bank.score(GOOD, PURPOSE, mandate)
    with pytest.raises(RateLimitError) as refused:
        bank.score(GOOD, PURPOSE, mandate)
    assert refused.value.retry_after > 60


def test_a_live_score_lost_on_the_way_back_is_one_answer_too(running: Any) -> None:
    mandate, live_path = running.world.grant("bohai", GOOD).id, "/v1/scores/live"
    bank, wire = client(
        running, lambda *_: None, lost=1, keys=ServiceKeys(running.world.ring.keys["service"]), path=live_path
    )
    score = bank.live(GOOD, PURPOSE, mandate, {"age_years": 2.0})
    assert wire.sent == 2
    assert [entry.object for entry in running.entries("score.live")] == [score["score_id"]]


@pytest.mark.parametrize("status", [502, 504])
def test_a_request_that_a_gateway_lost_is_sent_again_under_its_key(running: Any, status: int) -> None:
    request_fields = (GOOD, PURPOSE, running.world.grant("bohai", GOOD).id)
    keys = []

    def intercept(number: int, request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        return httpx.Response(status, text="<html>")

    bank, wire = client(running, intercept, path="/v1/scores/batch", patience=0.5)
    bank.score(*request_fields)  # fetches the token, which may take longer than the patience on a busy machine
    with pytest.raises(UnavailableError, match=str(status)):
        bank.batch([request_fields])
    assert (wire.sent > 1, len(set(keys))) == (True, 1)
    bank, wire = client(running, lambda n, _: httpx.Response(503) if n == 1 else None, path="/v1/scores/batch")
    assert [part["status"] for part in bank.batch([request_fields])] == [200]
    bank, wire = client(running, lambda n, _: httpx.Response(status) if n == 1 else None)
    assert bank.score(*request_fields)["uscc"] == GOOD


def test_a_token_is_requested_again_and_overload_is_not_a_refusal(running: Any) -> None:
    fields, token = (GOOD, PURPOSE, running.world.grant("bohai", GOOD).id), "/oauth2/token"
    bank, wire = client(running, lambda n, _: httpx.Response(503) if n < 3 else None, path=token)
    assert [part["status"] for part in bank.batch([fields])] == [200]
    assert wire.sent == 3
    bank, _ = client(running, lambda *_: None, path=token, lost=1)
    assert bank.score(*fields)["uscc"] == GOOD
    bank, _ = client(running, lambda *_: httpx.Response(503, json={"title": "busy"}), path=token, patience=0.0)
    with pytest.raises(UnavailableError, match="busy"):
        bank.score(*fields)
    bank, wire = client(running, lambda *_: httpx.Response(400, json={"error": "invalid_scope"}), path=token)
    with pytest.raises(AuthenticationError, match="invalid_scope"):
        bank.score(*fields)
    assert wire.sent == 1


def test_a_time_to_try_again_is_read_in_either_form_and_nonsense_is_none(running: Any) -> None:
    fields = (GOOD, PURPOSE, running.world.grant("bohai", GOOD).id)
    late = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    for value, sent in ((late, 1), ("soon", 2), ("-5", 2), ("Thu, 01 Jan 1970 00:00:00 GMT", 2), ("²", 2)):
        headers = [(b"Retry-After", value.encode())]
        bank, wire = client(running, lambda n, _, h=headers: httpx.Response(503, headers=h) if n == 1 else None)
        if sent == 1:
            with pytest.raises(UnavailableError):
                bank.score(*fields)
        else:
            assert bank.score(*fields)["uscc"] == GOOD
        assert wire.sent == sent


@pytest.mark.attack
def test_an_answer_changed_in_transit_is_rejected(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    good = running.score(GOOD, mandate)

    def changed(_: int, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=good.content.replace(b'"grade4":"', b'"grade4":"A'), headers=good.headers)

    bank, _ = client(running, changed, keys=ServiceKeys(running.world.ring.keys["service"]))
    with pytest.raises(VerificationError, match="not the one that was signed"):
        bank.score(GOOD, PURPOSE, mandate)


def test_every_product_by_the_client(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    bank, _ = client(running, lambda *_: None, keys=ServiceKeys(running.world.ring.keys["service"]))
    with bank:
        score = bank.score(GOOD, PURPOSE, mandate)
        assert [part["status"] for part in bank.batch([(GOOD, PURPOSE, mandate), (OTHER, PURPOSE, mandate)])] == [
            200,
            403,
        ]
        assert bank.verify(GOOD, PURPOSE, mandate, "grade_at_least", "D") is True
        objection = bank.object_to(score["score_id"], "explanation", "why?")
        assert bank.objection(objection["objection_id"])["state"] == "asked"
        assert bank.ready()["ready"] is True


def test_mandates_by_the_client(running: Any) -> None:
    bank, _ = client(running, lambda *_: None, keys=ServiceKeys(running.world.ring.keys["service"]))
    with bank:
        page = bank.request_mandate(GOOD, PURPOSE, "2027-01-31")
        paper = bank.request_mandate(GOOD, PURPOSE, "2027-01-31", "document", b"Signed by us.")
        batch = bank.request_mandates([(OTHER, PURPOSE, "2027-01-31", "page", ""), ("x", PURPOSE, "", "page", "")])
        assert [part["status"] for part in batch["applications"]] == [200, 422]
        first = bank.mandates(limit=2)
        assert first["next"] is not None
        listed = first["applications"] + bank.mandates(before=first["next"])["applications"]
        assert [each["application_id"] for each in listed[1:]] == [paper["application_id"], page["application_id"]]
        assert bank.mandate(page["application_id"])["state"] == "waiting"
        assert bank.end_mandate(page["application_id"])["state"] == "withdrawn"
        assert [each["state"] for each in bank.mandates(state="withdrawn")["applications"]] == ["withdrawn"]


def test_the_awaited_client_is_the_same_for_many_at_once(world: Any, template: Any) -> None:
    subjects = codes("enterprise", 20)
    mandates = [world.grant("bohai", code).id for code in subjects]

    async def all_() -> list[Any]:
        app = create_app(world.settings())
        async with app.app.router.lifespan_context(app.app):
            http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver")
            async with AsyncServiceClient(
                "", "bohai", template[1]["bohai"], http=http, keys=ServiceKeys(world.ring.keys["service"])
            ) as bank:
                pairs = zip(subjects, mandates, strict=True)
                scores = await asyncio.gather(*(bank.score(code, PURPOSE, mandate) for code, mandate in pairs))
                with pytest.raises(PermissionDeniedError, match="another subject"):
                    await bank.score(subjects[0], PURPOSE, mandates[1])
                band = await bank.verify(subjects[0], PURPOSE, mandates[0], "points_within")
                (part,) = await bank.batch([(subjects[0], PURPOSE, mandates[0])])
                return [[score["uscc"] for score in scores], band["from"] <= scores[0]["points"], part["status"]]

    assert asyncio.run(all_()) == [subjects, True, 200]


def test_a_live_score_has_its_declared_fields_with_either_client(running: Any) -> None:
    mandate, feature = running.world.grant("bohai", GOOD).id, "age_years"
    bank, _ = client(running, lambda *_: None, keys=ServiceKeys(running.world.ring.keys["service"]))
    score = bank.live(GOOD, PURPOSE, mandate, {feature: 1.0}, "what_if")
    assert (score["kind"], score["brought"]["features"]) == ("what_if", [feature])
    assert set(score) == set(results.LiveScore.__annotations__)

    async def awaited() -> Any:
        http = httpx.AsyncClient(transport=httpx.ASGITransport(running.http.app), base_url="http://testserver")
        async with AsyncServiceClient("", "bohai", running.secrets["bohai"], http=http) as other:
            return await other.live(GOOD, PURPOSE, mandate, {feature: None})

    assert asyncio.run(awaited())["kind"] == "fused"


SCHEMAS = {  # the client's type of a result -> the name of its schema in the OpenAPI document, where it is another
    "Score": "Answer", "LiveScore": "AnswerLive", "SuppliedFeatures": "Brought", "QueryPage": "Query",
    "ObjectionStatus": "ObjectionStands", "WebhookTrial": "Tried", "Watch": "Watched", "OpenedWatch": "Opened",
    "Job": "JobStands", "ApplicationPage": "ApplicationList",
}  # fmt: skip


def test_result_types_have_the_fields_of_the_published_schemas(running: Any) -> None:
    schemas = running.http.app.app.openapi()["components"]["schemas"]
    types = {
        name: each
        for name, each in vars(results).items()
        if is_typeddict(each) and name not in ("Readiness", "_Answer")
    }
    assert len(types) > 20
    for name, result in types.items():
        schema = schemas[SCHEMAS.get(name, name)]
        assert set(result.__annotations__) == set(schema["properties"]), name
        hints = get_type_hints(result, include_extras=True)
        required = {field for field, hint in hints.items() if get_origin(hint) is not NotRequired}
        assert required == set(schema["required"]), name
