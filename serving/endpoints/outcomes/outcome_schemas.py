"""The forms of a report of outcomes, as OpenAPI 3.1 shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from serving.endpoints.outcomes.outcome_rules import EVENTS
from serving.responses.api_schema import ApiSchema
from serving.responses.request_schemas import EXAMPLE, Short
from serving.responses.response_schemas import ReceiptSchema

MOST = 1000
_REPORTED = {**EXAMPLE, "purpose": "post_loan_management", "loan": "L-2026-0017", "event": "granted",
             "happened_on": "2026-11-02"}  # fmt: skip
LoanNumber = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$", strict=True)]


class ReportedOutcomeSchema(ApiSchema, published="ReportedOutcome"):
    """One event of one loan, with the mandate that was in force on its day."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    uscc: Short
    purpose: Short
    mandate: Short
    loan: LoanNumber = Field(description="the bank's own number of the loan; the service stores a pseudonym of it")
    event: Literal["granted", "drawn", "overdue", "settled", "written_off"] = Field(
        description=f"one of {', '.join(EVENTS)}"
    )
    happened_on: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$", strict=True)]
    days_overdue: Annotated[int, Field(strict=True, ge=0, le=36_500)] = Field(
        0, description="for overdue: the days reached on this day"
    )
    replaces: Short = Field("", description="the outcome_id of an earlier report of this loan that was wrong")


class OutcomesRequestSchema(ApiSchema, published="AskedOutcomes"):
    """Up to a thousand events; each is accepted or refused by itself, in the order given."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [{"outcomes": [_REPORTED]}]}
    )

    outcomes: list[ReportedOutcomeSchema] = Field(min_length=1, max_length=MOST)


class OutcomeResultSchema(ApiSchema, published="OutcomeResult"):
    """`result` is accepted, repeated (reported before, stored once) or refused, then with the problem."""

    result: Literal["accepted", "repeated", "refused"]
    status: int
    outcome_id: str | None = None
    late: bool | None = None
    problem: dict[str, Any] | None = None


class OutcomesSchema(ApiSchema, published="OutcomesReceived"):
    """What the service made of each event, in the order of the request; the three counts add up to all of them."""

    outcomes_id: str
    outcomes: list[OutcomeResultSchema]
    accepted: int
    repeated: int
    refused: int
    receipt: ReceiptSchema
