"""The request and answer forms of applications for mandates, as OpenAPI 3.1 shows them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from credit.errors import Malformed
from serving.auth.mandates import PURPOSES
from serving.mandates.applications import Requested
from serving.mandates.documents import MEDIA, MOST_BYTES
from serving.mandates.rules import ApplicationState, Evidence
from serving.responses.api_schema import ApiSchema
from serving.responses.request_schemas import EXAMPLE, Short
from serving.responses.response_schemas import ProblemSchema, ReceiptSchema

MOST_IN_BATCH, LONGEST_CONTENT = 1000, 3 << 19  # applications; characters of a document in base64
_STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)
APPLICATION_EXAMPLE: dict[str, JsonValue] = {
    "uscc": EXAMPLE["uscc"], "purpose": PURPOSES[0], "until": "2027-01-31", "evidence": "page",
}  # fmt: skip
_STATES = ", ".join(state for state in ApplicationState if state is not ApplicationState.DRAFT)


class ApplicationRequestSchema(ApiSchema, published="RequestedMandate"):
    """The mandate (授权书) that a subject gives to this bank, and what shows that the subject wants it."""

    model_config = ConfigDict(**_STRICT, json_schema_extra={"examples": [APPLICATION_EXAMPLE]})
    uscc: Short
    purpose: Short = Field(description=f"one of {', '.join(PURPOSES)}")
    until: Short = Field(description="the last day of the mandate (ISO 8601)")
    evidence: Literal["consent", "document", "page"] = Field(
        description="consent: a statement signed by the subject's registered key; document: one that the subject "
        "signed; page: the subject confirms on its own page"
    )
    content: Annotated[str, StringConstraints(max_length=LONGEST_CONTENT, strict=True)] = Field(
        "", description="the consent as a compact JWS, or the document in base64 "
        f"({', '.join(MEDIA)}; at most {MOST_BYTES} bytes); empty for a page",
    )  # fmt: skip

    def requested(self) -> Requested:
        """The request as values. Raises Malformed for what is no day, and where the content does not go with it."""
        try:
            until = date.fromisoformat(self.until)
        except ValueError as bad:
            raise Malformed("mandate-applications.not-a-day") from bad
        evidence = Evidence(self.evidence)
        if until.isoformat() != self.until:
            raise Malformed("mandate-applications.not-a-day")
        if bool(self.content) == (evidence is Evidence.PAGE):
            raise Malformed("mandate-applications.content")
        return Requested(self.uscc, self.purpose, until, evidence, self.content)


class ApplicationBatchRequestSchema(ApiSchema, published="RequestedMandates"):
    """Up to a thousand applications; each is recorded or refused by itself."""

    model_config = ConfigDict(**_STRICT, json_schema_extra={"examples": [{"applications": [APPLICATION_EXAMPLE]}]})
    applications: list[ApplicationRequestSchema] = Field(min_length=1, max_length=MOST_IN_BATCH)


class ApplicationSchema(ApiSchema):
    """A recorded application. `GET /v1/mandates/{id}` shows how far it is, and a webhook says when it is decided."""

    application_id: str
    batch_id: str | None
    purpose: str
    until: str
    evidence: str
    state: str = Field(description="waiting (for a person of the platform, or for the subject) or accepted")
    receipt: ReceiptSchema


class ApplicationPartSchema(ApiSchema):
    """One application of a batch: recorded, or refused."""

    status: int
    application: ApplicationSchema | None = None
    problem: ProblemSchema | None = None


class ApplicationBatchSchema(ApiSchema):
    """The applications of a batch in the order of the request; a person of the platform may confirm them as one."""

    batch_id: str
    applications: list[ApplicationPartSchema]


class ApplicationStatusSchema(ApiSchema):
    """An application, and the mandate that it led to."""

    application_id: str
    batch_id: str | None
    purpose: str
    until: str
    evidence: str
    state: str = Field(description=_STATES)
    mandate: str | None = Field(description="the id for requests, once it is granted")
    reason: str | None = Field(description="why it was refused or revoked, where that is said")
    requested_at: str


class ApplicationListSchema(ApiSchema):
    """A page of this bank's applications, the newest first."""

    applications: list[ApplicationStatusSchema]
    next: str | None = Field(description="the value of `before` for the next page; null on the last one")


def page_parameters() -> tuple[dict[str, Any], ...]:
    """The query parameters of the list, as OpenAPI shows them."""
    states = [state.value for state in ApplicationState if state is not ApplicationState.DRAFT]
    schemas: dict[str, dict[str, Any]] = {
        "state": {"type": "string", "enum": states},
        "before": {"type": "string", "pattern": "^[0-9]{1,18}$"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 200},
    }
    return tuple({"name": n, "in": "query", "required": False, "schema": schema} for n, schema in schemas.items())
