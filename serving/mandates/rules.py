"""How an application for a mandate is decided: by which evidence, who has to confirm it, and how long it waits.

The rules are data (`rules.yaml`): a city may name a file of its own in the settings. An application keeps the rule that
decides it in its ledger entry, so a later change of the rules decides nothing that was requested before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

from credit.actor import Actor, Role
from credit.confirmation import Confirmation, ConfirmationRule, ConfirmationState, rules_of
from credit.errors import Malformed
from credit.messages import Text
from serving.data.declarations import Declaration, read_declaration

RULES_FILE = Path(__file__).with_name("rules.yaml")
KIND = "application"  # of the ledger's verbs: application.requested, …


class Evidence(StrEnum):
    """What shows that the subject wants the mandate."""

    CONSENT = "consent"  # a statement signed by the subject's registered key
    DOCUMENT = "document"  # a document that the subject signed, uploaded by the bank
    PAGE = "page"  # the subject confirms on its own page


class ApplicationState(StrEnum):
    """How far an application is."""

    DRAFT = "draft"  # written down, but not in the ledger yet: it is not shown
    WAITING = "waiting"  # for a person of the platform, or for the subject
    ACCEPTED = "accepted"  # everything is there; the platform is about to sign
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"  # no decision came in time
    REVOKED = "revoked"
    EXPIRED = "expired"


OPEN = (ApplicationState.WAITING, ApplicationState.ACCEPTED)
BEFORE: Mapping[ApplicationState, tuple[ApplicationState, ...]] = {
    ApplicationState.ACCEPTED: (ApplicationState.WAITING,),
    ApplicationState.GRANTED: (ApplicationState.ACCEPTED,),
    ApplicationState.REFUSED: OPEN,
    ApplicationState.WITHDRAWN: (ApplicationState.WAITING,),
    ApplicationState.LAPSED: (ApplicationState.WAITING,),
    ApplicationState.REVOKED: (ApplicationState.GRANTED,),
    ApplicationState.EXPIRED: (ApplicationState.GRANTED,),
}
"""The states after which each one may come: who read an older state than there is now changes nothing."""
STATES: Mapping[ConfirmationState, ApplicationState] = {
    ConfirmationState.REQUESTED: ApplicationState.WAITING,
    ConfirmationState.CONFIRMED: ApplicationState.ACCEPTED,
    ConfirmationState.REFUSED: ApplicationState.REFUSED,
    ConfirmationState.WITHDRAWN: ApplicationState.WITHDRAWN,
    ConfirmationState.LAPSED: ApplicationState.LAPSED,
}


class RulesFile(Declaration):
    """The form of `rules.yaml`: the longest time of a mandate in days, and the rule of each evidence."""

    most_days: int
    rules: dict[str, dict[str, list[str] | int]]


@cache
def mandate_rules(path: Path | None = None) -> tuple[int, Mapping[str, ConfirmationRule]]:
    """The longest time of a mandate in days, and the rules by evidence, from `path` or the shipped file.

    Raises Malformed for another form, and where a page would be confirmed by anyone but the subject.
    """
    declared = read_declaration(path or RULES_FILE, RulesFile)
    rules = rules_of(declared.rules)
    page = rules.get(Evidence.PAGE)
    if page is not None and (page.people != 2 or page.confirms != {Role.SUBJECT}):
        raise Malformed("mandate-rules.page-not-by-subject")
    if set(rules) - set(Evidence) or any(rule.requests != {Role.BANK} for rule in rules.values()):
        raise Malformed("mandate-rules.unknown-evidence", known=", ".join(Evidence))
    return declared.most_days, rules


def objection(confirmation: Confirmation, person: Actor, moment: datetime) -> Text | None:
    """A subject counts for its own applications alone; anyone else as their role says."""
    if person.role is Role.SUBJECT and person.name != confirmation.details.get("subject"):
        return Text.of("mandate-rules.another-subject")
    return None
