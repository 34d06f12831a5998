"""The OpenAPI document is complete: every answer has an example that fits its schema, and all headers and webhooks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from serving.app.create import create_app
from serving.app.openapi.document import EXAMPLES
from serving.app.openapi.texts import in_chinese
from serving.audit.signatures import HEADER
from serving.endpoints.mandates.review import EVENTS
from serving.endpoints.monitoring.watch_review import CHANGED
from serving.responses.compose import answer_digest

PUBLISHED = frozenset(
    [
        "Answer",
        "AnswerBatch",
        "AnswerLive",
        "Application",
        "ApplicationBatch",
        "ApplicationList",
        "ApplicationPart",
        "ApplicationStatus",
        "Asked",
        "AskedBatch",
        "AskedFacts",
        "AskedLive",
        "AskedObjection",
        "AskedQuery",
        "AskedSupervision",
        "AskedVerification",
        "Band",
        "Brought",
        "Delivery",
        "DeliveryList",
        "Fact",
        "Facts",
        "JobList",
        "JobStands",
        "Missing",
        "Objection",
        "ObjectionStands",
        "Opened",
        "Part",
        "Problem",
        "Query",
        "RankedReason",
        "Reason",
        "Receipt",
        "Record",
        "Resent",
        "Rule",
        "SnapshotName",
        "Supervision",
        "Tried",
        "Verification",
        "WatchList",
        "Watched",
        "Webhook",
        "WebhookSet",
    ]
)


@pytest.fixture(scope="module")
def document(template: Any) -> Any:
    from serving_world import World

    return create_app(World(template[0]).settings()).app.openapi()


def operations(document: Any) -> list[tuple[str, Any]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def fits(document: Any, schema: Any, value: Any) -> bool:
    return bool(Draft202012Validator({**schema, "components": document["components"]}).is_valid(value))


def test_every_answer_has_a_form_and_an_example_that_fits_it(document: Any) -> None:
    seen = set()
    for name, operation in operations(document):
        for media, answer in operation["responses"]["200"]["content"].items():
            if media != "application/json" or "/v1/reports" in name:
                continue
            assert answer["schema"], name
            if "security" in operation:
                value = answer["examples"]["invented"]["value"]
                assert fits(document, answer["schema"], value), name
                assert not fits(document, answer["schema"], {}), name
                seen.add(answer["schema"]["$ref"].rpartition("/")[2])
    assert seen == set(EXAMPLES)
    watch = document["paths"]["/v1/watches"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    for answer in (document["components"]["schemas"]["Problem"], watch):
        assert fits(document, answer, answer["examples"][0])


def test_every_authorised_call_declares_its_signature_quota_and_refusals(document: Any) -> None:
    with_a_token = [(name, operation) for name, operation in operations(document) if "/v1/" in name]
    assert len(with_a_token) > 30
    for name, operation in with_a_token:
        answer = operation["responses"]
        assert set(answer["200"]["headers"]) == {HEADER, "RateLimit", "RateLimit-Policy", "X-Request-Id"}, name
        assert set(answer) == {"200", "400", "401", "403", "404", "408", "411", "413", "422", "429", "500", "503"}, name
        assert [set(answer[status]["headers"]) for status in ("401", "429", "503")] == [
            {"WWW-Authenticate", "X-Request-Id"}, {"Retry-After", "X-Request-Id"}, {"Retry-After", "X-Request-Id"}
        ], name  # fmt: skip
        assert operation["tags"] == operation["security"][0]["bank"], name
    headers = document["components"]["headers"]
    assert "sha-256" in headers[HEADER]["description"]
    files = document["paths"]["/v1/jobs/{name}/result"]["get"]["responses"]["200"]["content"]
    assert set(files) == {"text/csv", "application/vnd.apache.parquet"}
    for status in ("200", "400", "401"):
        token = document["paths"]["/oauth2/token"]["post"]["responses"][status]
        assert token["content"]["application/json"]["schema"]["required"]


def test_what_is_declared_is_what_is_sent(running: Any) -> None:
    from serving_world import PURPOSE, codes

    (good,) = codes("enterprise", 1)
    answer = running.score(good, running.world.grant("bohai", good).id)
    refused = running.score(good, "none")
    assert {HEADER.lower(), "ratelimit", "ratelimit-policy"} <= set(answer.headers)
    document = running.http.get("/openapi.json").json()
    for name, value in (("Answer", answer.json()), ("Problem", refused.json())):
        assert fits(document, {"$ref": f"#/components/schemas/{name}"}, value)
    pattern = document["components"]["headers"][HEADER]["schema"]
    assert fits(document, pattern, answer.headers[HEADER])
    assert not fits(document, pattern, "not.signed")
    assert PURPOSE in document["components"]["schemas"]["Asked"]["properties"]["purpose"]["description"]


def test_examples_of_scores_keep_the_laws_of_scores(document: Any) -> None:
    batch = [part["answer"] for part in EXAMPLES["AnswerBatch"]["answers"] if "answer" in part]
    assert [reason["rank"] for reason in EXAMPLES["AnswerLive"]["reasons"]] == [1, 2]
    assert answer_digest(EXAMPLES["AnswerLive"]) == EXAMPLES["AnswerLive"]["receipt"]["digest"]
    for answer in (EXAMPLES["Answer"], *batch):
        total = answer["base_points"] + sum(reason["points"] for reason in answer["reasons"])
        assert round(total, 2) == answer["points"]
        assert answer_digest(answer) == answer["receipt"]["digest"]
    assert set(document["webhooks"]) == {CHANGED, *EVENTS.values()}


def test_schemas_keep_the_names_that_banks_generate_code_from(document: Any) -> None:
    assert set(document["components"]["schemas"]) >= PUBLISHED
    assert not [name for name in document["components"]["schemas"] if name.endswith("Schema")]


def test_every_operation_has_texts_of_its_own_in_both_languages(document: Any) -> None:
    for texts, is_chinese in ((document, False), (in_chinese(document), True)):
        named = operations(texts)
        summaries = [operation["summary"] for _, operation in named]
        assert len(set(summaries)) == len(summaries)
        tags = {tag["name"]: tag["description"] for tag in texts["tags"]}
        for name, operation in named:
            assert set(operation["tags"]) <= set(tags), name
            assert bool(re.search("[一-鿿]", operation["description"])) == is_chinese, name
            assert not is_chinese or re.search("[一-鿿]", operation["summary"]), name
        assert {tag for _, operation in named for tag in operation["tags"]} == set(tags)
    assert in_chinese(document)["components"] == document["components"]
    assert document["servers"] == [{"url": "/", "description": "the service that sent this document"}]


def test_every_refusal_has_an_example_that_fits_its_form(document: Any) -> None:
    for name, operation in operations(document):
        if "security" not in operation:
            continue
        for status in ("401", "403", "404", "408", "413", "422", "429", "500", "503"):
            media = operation["responses"][status]["content"]["application/problem+json"]
            example = media["examples"]["refused"]["value"]
            assert example["status"] == int(status), name
            assert fits(document, media["schema"], example), (name, status)
