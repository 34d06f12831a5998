"""The failure of a step as a ledger keeps it: the error's messages by id, so that every reader gets their language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from credit.errors import Broken, CreditError, Lapsed, Malformed, Missing, Refused, Unauthenticated
from credit.gate import Finding
from credit.messages import Text

KINDS = {kind.slug: kind for kind in (Malformed, Refused, Unauthenticated, Lapsed, Missing, Broken)}


def failure_of(error: CreditError) -> dict[str, Any]:
    """The error as plain values; :func:`error_of` makes it again."""
    findings = [finding.stored() for finding in getattr(error, "findings", ()) if isinstance(finding, Finding)]
    kind = next((slug for slug, each in KINDS.items() if type(error) is each), "")
    kind = kind or next((slug for slug, each in reversed(KINDS.items()) if isinstance(error, each)), CreditError.slug)
    return {
        "kind": kind,
        "message": error.message.as_json(),
        "why": error.reason.as_json(),
        "remedy": error.advice.as_json(),
        "text": str(error),
        "findings": findings,
    }


def messages_of(error: CreditError) -> dict[str, Any]:
    """What, why and remedy of an error as messages by id."""
    return {"what": error.message.as_json(), "why": error.reason.as_json(), "remedy": error.advice.as_json()}


def error_of(failure: Mapping[str, Any]) -> CreditError:
    """The error of a failure that :func:`failure_of` wrote, for the person who made the request."""
    kind = KINDS.get(str(failure.get("kind")), CreditError)
    message = Text.from_json(failure.get("message")) or Text.verbatim(str(failure.get("text", "")))
    why, remedy = (Text.from_json(failure.get(part)) for part in ("why", "remedy"))
    error = kind(message, why=why, remedy=remedy)
    findings = [Finding.read(each) for each in failure.get("findings", ())]
    if findings and isinstance(error, Refused):
        error.findings = tuple(findings)
    return error
