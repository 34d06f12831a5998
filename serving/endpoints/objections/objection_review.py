"""The review of an objection (异议): a person of the platform decides it, and the decision goes into the ledger."""

from __future__ import annotations

from credit.actor import Actor, Role
from credit.errors import Malformed, Missing
from credit.ledger import Ledger
from credit.petition import Petition, fold_petition, require_move
from serving.auth.access_database import AccessDatabase
from serving.endpoints.objections.objections import KIND

OUTCOMES = {"upheld": "granted", "dismissed": "refused"}  # the reviewer's outcome -> the petition's move


def decide(access: AccessDatabase, ledger: Ledger, name: str, outcome: str, *, by: Actor, why: str) -> Petition:
    """Decide an objection as a person of the platform. `why` is the text that the subject reads; it names no person.

    Raises Malformed, Missing, and Refused when `by` is not of the platform or the objection has already been
    decided.
    """
    by.require_role(Role.PLATFORM, act="act.answer-objection")
    if outcome not in OUTCOMES or not why.strip():
        raise Malformed("objections.objection-upheld-or-dismissed-for")
    if not access.rows("SELECT id FROM objection WHERE id = ?", name):
        raise Missing("objections.no-such-objection-2")
    require_move(fold_petition(ledger.about(name), KIND, name), OUTCOMES[outcome], object_id=name)
    ledger.append(f"{KIND}.{OUTCOMES[outcome]}", name, by=by, details={"why": why})
    decided = fold_petition(ledger.about(name), KIND, name)
    assert decided is not None
    return decided
