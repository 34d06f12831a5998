"""The request and answer forms of watches and webhooks, as OpenAPI 3.1 shows them."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from serving.endpoints.monitoring.changes import KINDS
from serving.endpoints.monitoring.webhook_addresses import LONGEST
from serving.responses.api_schema import ApiSchema
from serving.responses.request_schemas import EXAMPLE, Short
from serving.responses.response_schemas import ReceiptSchema

Kind = Literal["grade_drop", "grade_rise", "penalty", "listing", "eased"]
_STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)


class WebhookRequestSchema(ApiSchema, published="AskedWebhook"):
    """The address for a bank's webhooks: an https address on the public internet, on port 443 or 8443."""

    model_config = _STRICT
    url: str = Field(max_length=LONGEST, strict=True, examples=["https://bank.example/haihe"])
    new_secret: bool = Field(
        False, strict=True, description="replace the secret of the signature v1, such as a lost one"
    )


class WebhookSchema(ApiSchema):
    """A bank's webhook address."""

    url: str | None
    keys: str = Field(description="where to fetch the public keys that verify webhooks")


class WebhookSetSchema(WebhookSchema, published="WebhookSet"):
    """The address that was set, and the secret of the signature `v1`: keep it as you keep a password."""

    secret: str = Field(description="whsec_ and 32 bytes in base64, for any library for Standard Webhooks")


class WatchRequestSchema(ApiSchema, published="AskedWatch"):
    """The subject to watch, the mandate, and the kinds of change to report."""

    model_config = ConfigDict(
        **_STRICT, json_schema_extra={"examples": [{**EXAMPLE, "purpose": "post_loan_management"}]}
    )
    uscc: Short
    purpose: Short = Field(description="post_loan_management: a mandate for one decision does not allow a watch")
    mandate: Short
    kinds: list[Kind] = Field(default=["grade_drop", "penalty", "listing"], min_length=1, max_length=len(KINDS))


class WatchSchema(ApiSchema, published="Watched"):
    """A watch and its status."""

    watch_id: str
    mandate: str
    purpose: str
    model: str
    kinds: list[str]
    seen: str = Field(description="the last snapshot compared")
    ended: str | None = Field(description="the reason why it ended; null while it is active")


class OpenedWatchSchema(WatchSchema, published="Opened"):
    """A new watch. Its messages name it by `watch_id`, and never contain the subject's code."""

    uscc: str
    receipt: ReceiptSchema


class WatchListSchema(ApiSchema):
    """A bank's active watches."""

    watches: list[WatchSchema]


class DeliverySchema(ApiSchema):
    """A webhook that is waiting, delivered, dead (failed at every attempt) or withdrawn (outdated, or without
    a mandate).
    """

    delivery_id: str
    watch_id: str
    status: str
    attempts: int
    last: str


class DeliveryListSchema(ApiSchema):
    """A bank's deliveries, the newest first."""

    deliveries: list[DeliverySchema]


class ResentSchema(ApiSchema):
    """A dead delivery that is tried again."""

    delivery_id: str
    status: str


class TrialSchema(ApiSchema, published="Tried"):
    """The outcome of one trial webhook."""

    webhook_id: str
    heard: bool = Field(description="whether the receiver answered 2xx")
    came: str
