"""Requests of notebooks to promote a version (上线申请), and the result of each, from the ledgers of two zones.

::

    research   registration.asked    version-… {project, order, note}   by the researcher
    platform   promotion.asked       version-… {model, note, request}   the platform carried it out
    platform   registration.refused  version-… {request, messages}      or says why it did not

A notebook reads the state of a version as words; names of those who judge it are not among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from credit.ledger import Entry

REQUEST, REFUSED = "registration.asked", "registration.refused"


class RegistrationState(StrEnum):
    """How far a request to promote a version is."""

    NEVER = "never"
    WAITING = "waiting"  # the platform's agent has not carried it out yet
    NOT_REGISTERED = "not_registered"
    REQUESTED = "requested"
    APPROVED = "approved"  # by one of two
    REFUSED = "refused"
    PROMOTED = "promoted"
    REPLACED = "replaced"  # it was in production, and another version is now


@dataclass(frozen=True, slots=True)
class Registration:
    """What a notebook may know of a version's promotion.

    ``verdict`` is the last one of the gate, ``reason`` that of a person who refused the version without it, and
    ``messages`` why it was not registered.
    """

    state: RegistrationState
    at: datetime | None = None
    note: str = ""
    reason: str = ""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    messages: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The registration as JSON values; of the verdict each check with its outcome and reason, and no evidence."""
        findings = [
            {name: each.get(name) for name in ("check", "outcome", "why", "message")}
            for each in self.verdict.get("findings", ())
        ]
        return {
            "state": self.state, "at": self.at.isoformat() if self.at else None, "note": self.note,
            "reason": self.reason, "findings": findings, "messages": dict(self.messages),
        }  # fmt: skip


def registration_of(version: str, research: Iterable[Entry], platform: Iterable[Entry], champion: str) -> Registration:
    """The state of a version by the entries about it in both ledgers; ``champion`` is the version in production."""
    requests = [entry for entry in research if entry.object == version and entry.verb == REQUEST]
    known = [entry for entry in platform if entry.object == version]
    state, at, note, reason = RegistrationState.NEVER, None, "", ""
    verdict: Mapping[str, Any] = {}
    messages: Mapping[str, Any] = {}
    if requests:
        state, at, note = RegistrationState.WAITING, requests[-1].at, str(requests[-1].details.get("note", ""))
    for entry in known:
        after = _STATES.get(entry.verb)
        if after is None or (after is RegistrationState.NOT_REGISTERED and _is_old(entry, requests)):
            continue
        state, at = after, entry.at
        verdict = entry.details.get("verdict") or (verdict if after is not RegistrationState.REQUESTED else {})
        reason = str(entry.details.get("why", "")) if after is RegistrationState.REFUSED else ""
        messages = entry.details.get("messages") or {}
    if requests and known and state not in _OPEN and requests[-1].at > known[-1].at:
        state, at = RegistrationState.WAITING, requests[-1].at
    if state is RegistrationState.PROMOTED and champion != version:
        state = RegistrationState.REPLACED
    return Registration(state, at, note, reason, verdict, messages)


_STATES = {
    REFUSED: RegistrationState.NOT_REGISTERED,
    "promotion.asked": RegistrationState.REQUESTED,
    "promotion.approved": RegistrationState.APPROVED,
    "promotion.refused": RegistrationState.REFUSED,
    "promotion.granted": RegistrationState.PROMOTED,
}
_OPEN = frozenset({RegistrationState.REQUESTED, RegistrationState.APPROVED, RegistrationState.PROMOTED})


def _is_old(entry: Entry, requests: list[Entry]) -> bool:
    """Whether an answer of the platform is to another request than the last one."""
    return not requests or entry.details.get("request") != requests[-1].id
