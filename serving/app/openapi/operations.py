"""The products in the OpenAPI document: the schemas of their requests and answers, and the scopes they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from pydantic import BaseModel

from serving.app.openapi.document import complete
from serving.endpoints.inquiries.schemas import (
    FactsRequestSchema,
    FactsSchema,
    QueryRequestSchema,
    QuerySchema,
)
from serving.endpoints.supervision.schemas import SupervisionRequestSchema, SupervisionSchema
from serving.http.products import IDEMPOTENCY_KEY, Product
from serving.responses.api_schema import published_name
from serving.responses.live_schemas import LiveAnswerSchema, LiveRequestSchema
from serving.responses.request_schemas import (
    BatchRequestSchema,
    ObjectionRequestSchema,
    ScoreRequestSchema,
    VerificationRequestSchema,
)
from serving.responses.response_schemas import (
    AnswerSchema,
    BatchAnswerSchema,
    ObjectionSchema,
    ProblemSchema,
    VerificationSchema,
)

FORMS: Mapping[str, type[BaseModel]] = {
    "score": ScoreRequestSchema,
    "batch": BatchRequestSchema,
    "verify": VerificationRequestSchema,
    "object": ObjectionRequestSchema,
    "live": LiveRequestSchema,
    "query": QueryRequestSchema,
    "supervise": SupervisionRequestSchema,
    "facts": FactsRequestSchema,
}
SCOPES = {
    "score": "ask for scores under a mandate",
    "batch": "ask for up to a thousand scores at once",
    "verify": "ask questions that are answered by yes or no, or by a band",
    "live": "ask for scores with features brought along",
    "object": "bring a subject's objection to an answer",
    "facts": "see the records behind the reasons of a score that was answered",
    "query": "see lists of a subject's public records",
    "report": "get public credit reports",
    "supervise": "for agencies: see the tier in which a subject is supervised",
    "watch": "hear of changes of subjects under a mandate, by webhook",
    "job": "send a file of up to 100,000 codes",
    "outcome": "report events of loans under a mandate",
    "mandate": "request mandates of subjects, see how far they are, and give them back",
}
_ANSWERS = {
    "score": AnswerSchema,
    "batch": BatchAnswerSchema,
    "verify": VerificationSchema,
    "object": ObjectionSchema,
    "live": LiveAnswerSchema,
    "query": QuerySchema,
    "supervise": SupervisionSchema,
    "facts": FactsSchema,
}
_SUMMARIES = {
    "score": "Score a subject by its code",
    "batch": "Score up to 1,000 subjects, each judged by itself",
    "verify": "Verify a claim about a subject without learning its score",
    "live": "Score a subject with features brought along",
    "object": "Object to an answer: an explanation, a correction or a person's look",
    "facts": "The records behind a score's reasons, by document number",
    "query": "A page of a list of a subject's public records (查询接口)",
    "supervise": "The tier and the rate of inspection of a subject, for agencies (分级分类监管)",
}
_DOCUMENT: dict[str, Any] = {}


class DocumentedApp(FastAPI):
    """An application with a completed OpenAPI document, made once per process, as it depends on no settings."""

    def openapi(self) -> dict[str, Any]:
        """The complete OpenAPI 3.1 document: with the schemas that no route function declares, and the token flow."""
        if not _DOCUMENT:
            document = super().openapi()
            components = document.setdefault("components", {})
            schemas = components.setdefault("schemas", {})
            forms: list[type[BaseModel]] = [*FORMS.values(), ProblemSchema]
            for form in forms:
                schema = form.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(schema.pop("$defs", {}))
                schemas[published_name(form)] = schema
            flow = {"tokenUrl": "/oauth2/token", "scopes": SCOPES}
            components["securitySchemes"] = {"bank": {"type": "oauth2", "flows": {"clientCredentials": flow}}}
            complete(document)
            _DOCUMENT.update(document)
        return _DOCUMENT


def declare(router: APIRouter, product: Product, problems: dict[int | str, dict[str, Any]]) -> None:
    """Declare a product's route. `ScoringEndpoint` answers it before the framework sees the request."""
    form = {"schema": {"$ref": f"#/components/schemas/{published_name(FORMS[product.scope])}"}}

    async def route() -> Response:
        raise AssertionError(f"the endpoint answers {product.path}")

    router.add_api_route(
        product.path,
        route,
        methods=["POST"],
        response_model=_ANSWERS[product.scope],
        responses=problems,
        summary=_SUMMARIES[product.scope],
        operation_id=product.path.removeprefix("/v1/").replace("/", "_").replace("-", "_"),
        openapi_extra={
            "security": [{"bank": [product.scope]}],
            "requestBody": {"required": True, "content": {"application/json": form}},
            **({"parameters": [IDEMPOTENCY_KEY]} if product.again else {}),
        },
    )
