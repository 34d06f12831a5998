"""The results of the client as types for a type checker: the JSON fields of the service's answers."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

from haihe_client.score_results import (
    Band as Band,
)
from haihe_client.score_results import (
    Fact as Fact,
)
from haihe_client.score_results import (
    Facts as Facts,
)
from haihe_client.score_results import (
    LiveScore as LiveScore,
)
from haihe_client.score_results import (
    Missing as Missing,
)
from haihe_client.score_results import (
    Part as Part,
)
from haihe_client.score_results import (
    RankedReason as RankedReason,
)
from haihe_client.score_results import (
    Reason as Reason,
)
from haihe_client.score_results import (
    Receipt as Receipt,
)
from haihe_client.score_results import (
    Rule as Rule,
)
from haihe_client.score_results import (
    Score as Score,
)
from haihe_client.score_results import (
    SnapshotName as SnapshotName,
)
from haihe_client.score_results import (
    SuppliedFeatures as SuppliedFeatures,
)


class Record(TypedDict):
    """One public record of a subject."""

    table: str
    document: str | None
    happened: str | None
    publication_ends: str | None
    repair: dict[str, str] | None
    fields: dict[str, Any]


class QueryPage(TypedDict):
    """A page of a list of a subject's public records."""

    query_id: str
    uscc: str
    name: str | None
    query: str
    title: dict[str, str]
    day: str
    total: int
    page: int
    pages: int
    records: list[Record]
    columns: dict[str, dict[str, str]]
    takes_a_mandate: list[str]
    snapshot: SnapshotName
    release: str
    invented: bool | None
    mandate: str | None
    salt: str
    notice: dict[str, str]
    receipt: Receipt


class Objection(TypedDict):
    """A recorded objection: a person answers it by the day `due`."""

    objection_id: str
    score_id: str
    kind: str
    state: str
    due: str
    receipt: Receipt


class OutcomeResult(TypedDict):
    """One event: `result` is accepted, repeated or refused, the last with its `problem`."""

    result: str
    status: int
    outcome_id: NotRequired[str]
    late: NotRequired[bool]
    problem: NotRequired[dict[str, Any]]


class OutcomesReceived(TypedDict):
    """What the service made of each event, in your order; the three counts add up to all of them."""

    outcomes_id: str
    outcomes: list[OutcomeResult]
    accepted: int
    repeated: int
    refused: int
    receipt: Receipt


class ObjectionStatus(TypedDict):
    """The status of an objection; `outcome` is the reviewer's text, once there is one."""

    objection_id: str
    score_id: str
    kind: str
    state: str
    asked_at: str
    due: str
    decided_by: str | None
    decided_at: str | None
    outcome: str | None


class Supervision(TypedDict):
    """How an agency is to supervise a subject: its tier and rate of inspection."""

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
    snapshot: SnapshotName
    version: str
    valid_until: str
    salt: str
    notice: dict[str, str]
    receipt: Receipt


class Webhook(TypedDict):
    """A bank's webhook address."""

    url: str | None
    keys: str


class WebhookSet(Webhook):
    """The address that was set, and the secret of the signature `v1`."""

    secret: str


class WebhookTrial(TypedDict):
    """The outcome of one trial webhook."""

    webhook_id: str
    heard: bool
    came: str


class Watch(TypedDict):
    """A watch and its status."""

    watch_id: str
    mandate: str
    purpose: str
    model: str
    kinds: list[str]
    seen: str
    ended: str | None


class OpenedWatch(Watch):
    """A new watch."""

    uscc: str
    receipt: Receipt


class Delivery(TypedDict):
    """One delivery of a webhook."""

    delivery_id: str
    watch_id: str
    status: str
    attempts: int
    last: str


class Resent(TypedDict):
    """A dead delivery that is tried again."""

    delivery_id: str
    status: str


class Application(TypedDict):
    """A recorded application for a mandate."""

    application_id: str
    batch_id: str | None
    purpose: str
    until: str
    evidence: str
    state: Literal["waiting", "accepted"]
    receipt: Receipt


class ApplicationPart(TypedDict):
    """One application of a batch: `application` where its status is 200, otherwise `problem`."""

    status: int
    application: NotRequired[Application]
    problem: NotRequired[dict[str, Any]]


class ApplicationBatch(TypedDict):
    """The applications of a batch in the order of the request."""

    batch_id: str
    applications: list[ApplicationPart]


class ApplicationStatus(TypedDict):
    """An application, and the mandate that it led to."""

    application_id: str
    batch_id: str | None
    purpose: str
    until: str
    evidence: str
    state: Literal["waiting", "accepted", "granted", "refused", "withdrawn", "lapsed", "revoked", "expired"]
    mandate: str | None
    reason: str | None
    requested_at: str


class ApplicationPage(TypedDict):
    """A page of a bank's applications."""

    applications: list[ApplicationStatus]
    next: str | None


class Job(TypedDict):
    """A job's progress."""

    job_id: str
    state: Literal["queued", "running", "done", "cancelled", "expired"]
    lines: int
    done: int
    answered: int
    refused: int
    expires_at: float


class Readiness(TypedDict):
    """The models and the credit files in use."""

    ready: Literal[True]
    models: dict[str, Any]
    dossiers: dict[str, Any]
    reports: dict[str, Any]


class SignedFile(NamedTuple):
    """A file, and the signature over its bytes. Keep both."""

    content: bytes
    signature: str
