"""The context of one request to the service: the caller, the quota, the details for the ledger, and the subject."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from credit.actor import Actor, Role
from credit.usage_rights import Recipient
from serving.audit.identifiers import score_id
from serving.audit.signature_queue import SignedBody
from serving.auth.clients import DEFAULT_LIMIT, RateLimit
from serving.auth.mandates import Mandate
from serving.auth.rate_limit import TokenBucket
from serving.data.snapshot import ActiveSnapshot
from serving.idempotency.stored_answer import Receipt

SERVICE = Actor("scoring", Role.SERVICE)
# Verbs of the ledger.
ANSWERED, REFUSED, REPEATED = "score.answered", "score.refused", "score.repeated"
LIVE = "score.live"  # a score answered with features that the bank supplied
SUSPECTED = "enumeration.suspected"
SNAPSHOT_OPENED, CREDIT_FILES_OPENED = "book.opened", "dossiers.opened"
EVALUATION_OPENED = "evaluation.opened"


@dataclass(slots=True)
class RequestContext:
    """What is known of a request so far.

    `details` become the details of its ledger entry, so they hold the subject's pseudonym and never its code.
    `bucket` is the bank's remaining quota; it is None until the request has been counted.
    """

    id: str = field(default_factory=score_id)
    by: Actor = SERVICE
    details: dict[str, Any] = field(default_factory=dict)
    limit: RateLimit = DEFAULT_LIMIT
    bucket: TokenBucket | None = None
    receipt: Receipt | None = None  # of the answer, where the product states it
    signed: SignedBody | None = None  # the answer, once it has a place under a signature
    recipient: Recipient | None = None  # who gets the answer, by the kind of client; None receives nothing derived


@dataclass(slots=True)
class ResumedRequest(RequestContext):
    """A request under the id of an earlier one with the same idempotency key, whose results may already exist."""

    salt: str | None = None  # of the earlier answer, where it is known


def resource_id(kind: str, call: RequestContext) -> str:
    """The id of a resource that a request creates: derived from the request's id, so that it is created only once."""
    return f"{kind}{call.id.replace('-', '')}"


class AuthorisedSubject(NamedTuple):
    """A subject in a snapshot under a mandate; the answer may be used until the day `valid_until` (ISO 8601)."""

    uscc: str
    snapshot: ActiveSnapshot
    row: int
    mandate: Mandate
    valid_until: str
