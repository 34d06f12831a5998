"""The platform's part: it signs a mandate for an application that the service's own ledger shows to be complete.

The service's agent names applications; every field of a mandate comes from the entry that the bank's request left in
the service's ledger, and who confirmed it from the entries behind that one. Where a person of the platform confirmed,
the front desk must have written down that this person requested it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from credit.actor import Actor, Role
from credit.confirmation import Confirmation, ConfirmationRule, ConfirmationState
from credit.envelope import sign_envelope
from credit.errors import CreditError, Refused
from credit.keys import SigningKey
from credit.ledger import Entry, Ledger, LookUp
from credit.ledger.entry import Act
from credit.subjects import SubjectKey
from serving.auth.mandates import PAYLOAD_TYPE, Mandate
from serving.mandates.decisions import confirmation_of
from serving.mandates.rules import KIND, Evidence

PROPOSED, SIGNED, GRANTED = "mandates.proposed", "mandates.signed", "mandate.granted"
KEY_ADDED, KEY_REMOVED = "subject-key.added", "subject-key.removed"
SIGNER = Actor("agent-platform", Role.SERVICE)
MOST = 200  # applications in one proposal, so that no line of a ledger is long
IsRequested = Callable[[str, Actor, str, str, datetime], bool]
"""Whether the front desk has a request of this id, by this person, that confirms this application, or its batch after
the moment when the application was made."""


@dataclass(frozen=True, slots=True)
class MandateSigner:
    """The platform's key and ledger, and the service's ledger, read only. `most_days` is the longest mandate.

    What the service wrote down is the rule of the time of the request; the platform signs by it only where it is no
    weaker than its own.
    """

    key: SigningKey
    ledger: Ledger
    answers: Ledger
    is_requested: IsRequested
    most_days: int
    rules: Mapping[str, ConfirmationRule]  # the platform's own, by evidence

    def sign(self, proposal: Entry) -> None:
        """Grant or decline every application of a proposal, once. Raises Broken when a ledger does not verify."""
        if any(entry.verb == SIGNED for entry in self.ledger.about(proposal.object)):
            return
        acts = list[Act]()
        envelopes, declined = dict[str, str](), dict[str, Any]()
        applications = list(dict(proposal.details["applications"]).items())[:MOST]
        banks: dict[str, bool] = {}
        known = self._entries({str(batch) for _, batch in applications})
        for name, _ in applications:
            try:
                mandate, is_new = self._mandate(name, known.get(name) or self.answers.about(name), banks)
            except Refused as refused:
                declined[name] = refused.message.as_json()
                continue
            if is_new:
                acts.append((GRANTED, mandate.id, SIGNER, {**mandate.statement(), "application": name}))
            envelopes[name] = json.dumps(sign_envelope(mandate.statement(), PAYLOAD_TYPE, self.key))
        acts.append((SIGNED, proposal.object, SIGNER, {"envelopes": envelopes, "declined": declined}))
        self.ledger.append_many(acts)

    def _entries(self, batches: set[str]) -> dict[str, list[Entry]]:
        """The entries about the applications of these batches, by application: one look-up a batch."""
        known: dict[str, list[Entry]] = {}
        for batch in batches - {""}:
            for entry in self.answers.find(LookUp(batch=batch)):
                known.setdefault(entry.object, []).append(entry)
        return known

    def _mandate(self, name: str, entries: list[Entry], banks: dict[str, bool]) -> tuple[Mandate, bool]:
        """The mandate for an application, and whether it is not granted yet. Raises Refused."""
        mandate_id = mandate_of(name)
        for entry in self.ledger.about(mandate_id):
            if entry.verb == GRANTED:
                return Mandate.of(entry.details), False
        confirmation = confirmation_of(entries, name)
        if confirmation is None or confirmation.state is not ConfirmationState.CONFIRMED:
            raise Refused("mandate-granting.not-confirmed")
        bank = confirmation.requested_by.name
        if bank not in banks:
            banks[bank] = any(entry.verb == "bank.added" for entry in self.ledger.about(f"bank-{bank}"))
        if not banks[bank]:
            raise Refused("mandate-granting.no-such-bank")
        self._require_people(name, confirmation, entries)
        if confirmation.act == Evidence.CONSENT:
            self._require_key(confirmation)
        try:
            mandate = _mandate_of(mandate_id, bank, confirmation.details)  # what was confirmed, and no earlier request
        except (CreditError, KeyError, TypeError, ValueError) as bad:
            raise Refused("mandate-granting.not-a-mandate") from bad
        longest = mandate.valid_from + timedelta(days=self.most_days)
        if mandate.valid_until > longest or not self._is_by_rule(confirmation, mandate.document_kind):
            raise Refused("mandate-granting.not-by-policy")
        return mandate, True

    def _is_by_rule(self, confirmation: Confirmation, evidence: str) -> bool:
        """Whether the rule that decided is the platform's for this evidence, or a stricter one."""
        own, used = self.rules.get(evidence), confirmation.rule
        if own is None or confirmation.act != evidence:
            return False
        return used.people >= own.people and (own.people == 1 or used.confirms <= own.confirms)

    def _require_key(self, confirmation: Confirmation) -> None:
        """Raise Refused for a consent of a subject of whom the platform had registered no key when it was sent.

        The platform cannot read the consent itself, which is signed with the subject's code.
        """
        keys: set[str] = set()
        for entry in self.ledger.about(f"subject-{confirmation.details.get('subject', '')}"):
            if entry.at > confirmation.requested_at:
                break
            if entry.verb == KEY_ADDED:
                keys.add(str(entry.details["thumbprint"]))
            elif entry.verb == KEY_REMOVED:
                keys.discard(str(entry.details["thumbprint"]))
        if not keys:
            raise Refused("mandate-granting.no-key-of-the-subject")

    def _require_people(self, name: str, confirmation: Confirmation, entries: list[Entry]) -> None:
        """Raise Refused where a person of the platform is said to have confirmed who requested nothing at the desk."""
        batch = str(confirmation.details.get("batch", ""))
        for person in confirmation.confirmed_by:
            if person.role is Role.SUBJECT:
                continue
            confirmed = [entry for entry in entries if entry.verb == f"{KIND}.confirmed" and entry.by == person]
            requests = [str(entry.details.get("request", "")) for entry in confirmed]
            if not any(
                self.is_requested(request, person, name, batch, confirmation.requested_at) for request in requests
            ):
                raise Refused("mandate-granting.not-at-the-desk")


def mandate_of(application: str) -> str:
    """The id of the mandate that an application leads to: the same however often it is signed."""
    return f"mandate-{application.removeprefix(f'{KIND}-')}"


def _mandate_of(name: str, bank: str, details: Mapping[str, Any]) -> Mandate:
    evidence = Evidence(details["evidence"])
    return Mandate(
        name, bank, SubjectKey(details["subject"]), str(details["purpose"]), evidence.value, str(details["document"]),
        date.fromisoformat(str(details["mandate_from"])), date.fromisoformat(str(details["mandate_until"])),
    )  # fmt: skip
