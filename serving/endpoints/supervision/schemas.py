"""The request and answer forms of supervision by tier, as OpenAPI 3.1 shows them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from serving.responses.api_schema import ApiSchema
from serving.responses.request_schemas import EXAMPLE, Short
from serving.responses.response_schemas import ReceiptSchema, SnapshotNameSchema


class SupervisionRequestSchema(ApiSchema, published="AskedSupervision"):
    """The subject, and the matter in which the agency inquires; the ledger records both."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True,
        json_schema_extra={"examples": [{"uscc": EXAMPLE["uscc"], "matter": "SSJ-2026-0117"}]},
    )  # fmt: skip

    uscc: Short
    matter: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,16}-[0-9]{4}-[0-9]{1,6}$", strict=True)] = Field(
        description="the number of the inspection plan or case (双随机抽查计划、案件编号), such as SSJ-2026-0117"
    )


class SupervisionSchema(ApiSchema):
    """How an agency is to supervise a subject: the tier and the rate of random inspection (分级分类监管)."""

    supervision_id: str
    uscc: str
    matter: str
    grade: str
    points: float
    industry: str | None
    scale: dict[str, str]
    tier: dict[str, str]
    inspection: dict[str, Any]
    rules: list[dict[str, str]]
    sheet: dict[str, Any]
    snapshot: SnapshotNameSchema
    version: str
    valid_until: str
    salt: str
    notice: dict[str, str]
    receipt: ReceiptSchema
