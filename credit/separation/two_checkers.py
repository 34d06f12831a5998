"""Two checkers (双人审核): a version that scores individual businesses is promoted by two people, one after the other.

What such a version reads of a subject is personal information of its operator (PIPL, art. 28 and 55), so one person's
approval is not enough. Each of the two has the gate measure the version; the first approval changes nothing in
production. An approval counts while the person may judge the version without a break, the champion is the one that the
gate compared it with, and the gate says the same to the second person: ``basis`` is the digest of what was approved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from credit.actor import Actor
from credit.canonical import digest_json
from credit.gate import Verdict
from credit.ledger import Entry
from credit.messages import Text
from credit.seal import Seal
from credit.separation.involvement import PeopleHistory, ReviewedMatter

APPROVED = "promotion.approved"
ONE_CHECKER = frozenset({"enterprise"})
"""The kinds of subjects for which one checker decides. A version that names none may score any kind, and needs two."""

_MOVES = frozenset(f"promotion.{move}" for move in ("asked", "granted", "refused", "withdrawn", "revoked"))


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval of a version since its promotion was requested. ``objection`` is why it counts no more, or None."""

    by: Actor
    at: datetime
    seq: int
    basis: str
    waiver: str
    objection: Text | None


def checkers_needed(seal: Seal) -> int:
    """How many people have to approve a version before it is in production."""
    return 1 if seal.terms.get("subject_kind") in ONE_CHECKER else 2


def approval_basis(verdict: Verdict, champion: str) -> str:
    """The digest of what a person approves: each outcome, the thresholds, and the champion of that moment."""
    outcomes = {finding.check: str(finding.outcome) for finding in verdict.findings}
    return digest_json({"outcomes": outcomes, "thresholds": dict(verdict.thresholds), "champion": champion})


def approvals_of(
    seal: Seal, entries: Iterable[Entry], people: PeopleHistory, matter: ReviewedMatter, champion: str
) -> tuple[Approval, ...]:
    """The approvals of a version since the last move of its petition, the last one of each person.

    Where the gate has said something else since, those before count no more, and their people may approve again.

    ``entries`` are those of the platform's ledger about it, ``champion`` is the version in production now.
    """
    latest: dict[str, Entry] = {}
    for entry in entries:
        if entry.object != seal.id:
            continue
        if entry.verb in _MOVES:
            latest = {}
        elif entry.verb == APPROVED:
            latest.pop(entry.by.name, None)
            latest[entry.by.name] = entry
    given = [_approval(entry, people, matter, champion) for entry in latest.values()]
    basis = next((each.basis for each in reversed(given) if each.objection is None), "")
    changed = Text.of("separation.gate-changed")
    return tuple(
        replace(each, objection=changed) if each.objection is None and each.basis != basis else each for each in given
    )


def counted(approvals: Iterable[Approval], basis: str | None = None) -> tuple[Approval, ...]:
    """The approvals that count; with a ``basis`` those alone that were given for the same."""
    return tuple(each for each in approvals if each.objection is None and basis in (None, each.basis))


def _approval(entry: Entry, people: PeopleHistory, matter: ReviewedMatter, champion: str) -> Approval:
    details: Mapping[str, Any] = entry.details
    objection = people.vote_objection(matter, entry.by, entry.at, None)
    if objection is None and details.get("champion") != champion:
        objection = Text.of("separation.champion-changed")
    waiver = details.get("waiver")
    why = str(waiver.get("why", "")) if isinstance(waiver, Mapping) else ""
    return Approval(entry.by, entry.at, entry.seq, str(details.get("basis", "")), why, objection)
