"""Adds to the OpenAPI document what the routes do not declare: headers, examples of answers, tags, webhooks.

Examples are answers of the service about an invented city, some of them shortened; they are data, and a test checks
each against its schema.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from serving.app.openapi.problem_examples import problem_examples
from serving.app.openapi.texts import add_texts
from serving.audit.signatures import HEADER
from serving.http.request_id import HEADER as REQUEST_ID

EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text(encoding="utf-8"))
DESCRIPTION = f"""A bank asks, under a subject's mandate, and verifies the answer. Times are UTC, days are Beijing's.

* **Access**: a token from `POST /oauth2/token` by client credentials (secret or `private_key_jwt`), sent as `Bearer`;
  one asked for with a `DPoP` proof is bound to its key and sent as `DPoP`, with a new proof each time (RFC 9449).
* **Signature**: every good answer to a token has the header `{HEADER}`, over the bytes of the body as sent.
* **Again**: every POST takes an `Idempotency-Key`; the same key and body are done once, and give one answer for a day.
* **Refusals** are problem documents (RFC 9457), in Chinese with `Accept-Language: zh`.
* **Request id**: every answer has the header `X-Request-Id`; give it when you report a problem.
* **Versions**: the path names the version. What may change, and how it is announced, is in docs/api-changes.md.
"""
_HEADERS: dict[str, Any] = {
    HEADER: {
        "description": "A compact JWS (RFC 7515, EdDSA) by a key of /.well-known/jwks.json, its type "
        'haihe-answer+jwt. Its payload {"iat": seconds, "sha-256": ["<hex>", …]} lists the SHA-256 of each answer that '
        "left in the same moment: verify it, then look for the digest of this body as it was sent.",
        "required": True, "schema": {"type": "string", "pattern": r"^[\w-]+\.[\w-]+\.[\w-]+$"},
    },
    "RateLimit": {"description": 'what is left of the quota, such as "bank";r=999;t=0', "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": 'the quota, such as "bank";q=1000;w=5', "schema": {"type": "string"}},
    "Retry-After": {"description": "seconds to wait", "required": True, "schema": {"type": "integer", "minimum": 1}},
    REQUEST_ID: {
        "description": "names this request; its entry in our ledger bears the same id",
        "required": True, "schema": {"type": "string"},
    },
    "WWW-Authenticate": {"description": "RFC 6750 §3", "required": True, "schema": {"type": "string"}},
}  # fmt: skip
_OF_STATUS = {"401": ("WWW-Authenticate",), "429": ("Retry-After",), "503": ("Retry-After",)}
_TEXT: dict[str, Any] = {"type": "string"}
_PLAIN: dict[tuple[str, str], dict[str, Any]] = {  # answers of routes that are no products: their fields, all required
    ("/oauth2/token", "post"): {"access_token": _TEXT, "token_type": {"enum": ["Bearer", "DPoP"]},
                                "expires_in": {"type": "integer"}, "scope": _TEXT},
    ("/.well-known/jwks.json", "get"): {"keys": {"type": "array", "items": {"type": "object"}}},
    ("/live", "get"): {"live": {"const": True}},
    ("/ready", "get"): {"ready": {"const": True}, "models": {"type": "object"}, "dossiers": {"type": "object"},
                        "evaluations": {"type": "object"}, "reports": {"type": "object"}},
}  # fmt: skip
_ERROR = {"error": _TEXT, "error_description": _TEXT}  # RFC 6749 §5.2
_WEBHOOK: dict[str, Any] = {
    "type": "watch.changed", "timestamp": "2026-12-01T02:00:00+00:00",
    "data": {"watch_id": EXAMPLES["Watched"]["watch_id"], "mandate": EXAMPLES["Watched"]["mandate"],
             "purpose": "post_loan_management", "changes": [{"kind": "grade_drop", "from": "B", "to": "C+"}],
             "model": "enterprise", "version": EXAMPLES["Answer"]["version"], "version_changed": False,
             "snapshot": EXAMPLES["Answer"]["snapshot"], "valid_until": "2027-01-15",
             "notice": EXAMPLES["Answer"]["notice"]},
}  # fmt: skip

_MANDATE_EVENTS = {
    "mandate.granted": "A mandate was granted (授权生效)",
    "mandate.refused": "An application was refused, or nobody decided in time (申请被拒)",
    "mandate.revoked": "A mandate was revoked (授权撤回)",
    "mandate.expired": "A mandate has ended (授权到期)",
}


def complete(document: dict[str, Any]) -> None:
    """Complete the document in place."""
    document["info"]["description"] = DESCRIPTION
    document["servers"] = [{"url": "/", "description": "the service that sent this document"}]
    document["components"]["headers"] = _HEADERS
    document["webhooks"] = {
        "watch.changed": {"post": _webhook_operation("A watched subject changed (预警)", "watch", _WEBHOOK)}
    } | {
        event: {"post": _webhook_operation(summary, "mandate", _mandate_event(event))}
        for event, summary in _MANDATE_EVENTS.items()
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(operation)
            if (path, method) in _PLAIN:
                _set_schema(operation["responses"]["200"], _PLAIN[path, method])
    add_texts(document)
    for operation in (each for methods in document["paths"].values() for each in methods.values()):
        for response in operation["responses"].values():
            response.setdefault("headers", {}).update(_refer(REQUEST_ID))
    for status in ("400", "401"):
        _set_schema(document["paths"]["/oauth2/token"]["post"]["responses"][status], _ERROR)


def _complete(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    for media in responses["200"].get("content", {}).values():
        name = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if name in EXAMPLES:
            media["examples"] = {"invented": {"value": EXAMPLES[name]}}
    if "security" not in operation:
        return
    operation["tags"] = operation["security"][0]["bank"]
    responses["200"]["headers"] = _refer(HEADER, "RateLimit", "RateLimit-Policy")
    for status, names in _OF_STATUS.items():
        responses[status]["headers"] = _refer(*names)
    problem = responses["503"]["content"]
    responses["500"] = {"description": "a fault of the service: nothing was answered", "content": problem}
    for code, example in problem_examples().items():
        schema = problem["application/problem+json"]["schema"]
        media = {"schema": schema, "examples": {"refused": {"value": example}}}
        responses[str(code)] = {**responses[str(code)], "content": {"application/problem+json": media}}


def _set_schema(response: dict[str, Any], fields: dict[str, Any]) -> None:
    schema = {"type": "object", "required": list(fields), "properties": fields}
    response["content"] = {"application/json": {"schema": schema}}


def _refer(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _mandate_event(event: str) -> dict[str, Any]:
    """A notification of a mandate's state, as the example shows it."""
    status = EXAMPLES["ApplicationStatus"]
    names = ("application_id", "mandate", "purpose", "until", "reason")
    data = {**{name: status[name] for name in names}, "state": event.partition(".")[2]}
    return {"type": event, "timestamp": _WEBHOOK["timestamp"], "data": data}


def _webhook_operation(summary: str, tag: str, example: dict[str, Any]) -> dict[str, Any]:
    """The operation of the webhook that the service sends to a bank."""
    names = {"webhook-id": "the same for one change however often it is told",
             "webhook-timestamp": "seconds since 1970",
             "webhook-signature": "over id.timestamp.body: v1a by a key of /.well-known/jwks.json (Ed25519), "
             "and v1 by the secret that setting the address gave (HMAC-SHA256)"}  # fmt: skip
    return {
        "summary": summary, "tags": [tag],
        "description": "Headers are those of Standard Webhooks; the body never names the code or the score.",
        "parameters": [{"name": name, "in": "header", "required": True, "schema": _TEXT, "description": text}
                       for name, text in names.items()],
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"},
                                                         "examples": {"invented": {"value": example}}}}},
        "responses": {"2XX": {"description": "heard; anything else is tried again"}},
    }  # fmt: skip
