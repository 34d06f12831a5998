"""The request and answer forms of inquiries about a named subject, as OpenAPI 3.1 shows them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from serving.auth.mandates import PURPOSES
from serving.responses.api_schema import ApiSchema
from serving.responses.request_schemas import Short
from serving.responses.response_schemas import ReceiptSchema, SnapshotNameSchema

MAX_PAGE_SIZE = 100  # records on a page
_CODE = "91120116MA06XY128A"


class QueryRequestSchema(ApiSchema, published="AskedQuery"):
    """The subject; a mandate for an individual business, and for records that are not open to everyone."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [{"uscc": _CODE, "page": 1}]}
    )

    uscc: Short = Field(description="统一社会信用代码")
    purpose: Short = Field("", description=f"with a mandate: one of {', '.join(PURPOSES)}")
    mandate: Short = Field("", description="the id of a mandate (授权书) granted to the caller; none for open records")
    page: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 1
    size: Annotated[int, Field(strict=True, ge=1, le=MAX_PAGE_SIZE)] = 20


class FactsRequestSchema(ApiSchema, published="AskedFacts"):
    """A score that the caller received, and its subject: the service stores no code, so the caller sends it again."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True,
        json_schema_extra={"examples": [{"uscc": _CODE, "score_id": "018f2b1c-7d2e-7c55-a5d1-0f7b8e0c9a42"}]},
    )  # fmt: skip

    uscc: Short
    score_id: Short


class FactSchema(ApiSchema):
    """A reason of the score, the tables behind its feature, and the newest of their records."""

    code: str
    points: float
    tables: list[str] = Field(description="the tables that the SQL of the feature reads")
    total: int = Field(description="records of these tables that may be shown")
    documents: list[dict[str, str | None]]


class FactsSchema(ApiSchema):
    """The records behind the reasons of a score, by document reference."""

    facts_id: str
    score_id: str
    uscc: str
    facts: list[FactSchema]
    snapshot: SnapshotNameSchema
    dossiers: SnapshotNameSchema
    salt: str
    notice: dict[str, str]
    receipt: ReceiptSchema


class RecordSchema(ApiSchema):
    """One record. `document` is its document number (文号) where it has one."""

    table: str
    document: str | None
    happened: str | None
    publication_ends: str | None = Field(description="the first day on which it is no longer shown")
    repair: dict[str, str] | None = Field(description="信用修复: its status, and the day from which it may be repaired")
    fields: dict[str, Any]


class QuerySchema(ApiSchema):
    """A page of a list; `columns` holds the titles of the fields by table."""

    query_id: str
    uscc: str
    name: str | None
    query: str = Field(description="the name of the list, as in the path")
    title: dict[str, str]
    day: str
    total: int
    page: int
    pages: int
    records: list[RecordSchema]
    columns: dict[str, dict[str, str]]
    takes_a_mandate: list[str] = Field(description="tables of this list that show nothing, or less, without a mandate")
    snapshot: SnapshotNameSchema
    release: str
    invented: bool | None = Field(description="whether the records are of an invented city; null where it is not known")
    mandate: str | None
    salt: str = Field(description="random; it keeps a reader of the ledger from trying records against the digest")
    notice: dict[str, str]
    receipt: ReceiptSchema
