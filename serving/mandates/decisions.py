"""Decisions about an application: the ledger decides how far it is, and the store repeats what the ledger says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from credit.actor import Actor
from credit.confirmation import Confirmation, Move, after_move, fold_confirmations
from credit.errors import Missing
from credit.ledger import Entry, Ledger
from credit.messages import Text
from serving.mandates.application_store import Application, ApplicationStore
from serving.mandates.rules import KIND, OPEN, STATES, ApplicationState, objection

REQUESTED = f"{KIND}.{Move.REQUEST}"


def confirmation_of(entries: Sequence[Entry], name: str) -> Confirmation | None:
    """The application as its ledger entries say; None where it was never recorded."""
    about = [entry for entry in entries if entry.object == name]
    return fold_confirmations(about, KIND, objection=objection).get(name)


def require_application(store: ApplicationStore, name: str, bank: str | None = None) -> Application:
    """The application of this id, of this bank where one is given. Raises Missing, also for another bank's."""
    application = store.application(name)
    hidden = application is None or application.state is ApplicationState.DRAFT
    if application is None or hidden or (bank is not None and application.bank != bank):
        raise Missing("mandate-applications.no-such-application")
    return application


def decide(
    store: ApplicationStore, ledger: Ledger, name: str, move: Move, *, by: Actor, details: dict[str, Any]
) -> Application:
    """Confirm, refuse or withdraw an application. The same decision of the same person is made once.

    Raises Missing, and Refused and Lapsed as `credit.confirmation.after_move` does.
    """
    batch = require_application(store, name).batch
    entries = ledger.about(name)
    details = {**details, **({"batch": batch} if batch else {})}
    verb = f"{KIND}.{move}"
    if not any(entry.verb == verb and entry.by == by for entry in entries):
        before = confirmation_of(entries, name)
        at = datetime.now(UTC)
        after_move(before, move, name, by=by, at=at, details=details, objection=objection)
        ledger.append(verb, name, by=by, details=details)
    return reconcile(store, ledger, name)


def reconcile(store: ApplicationStore, ledger: Ledger, name: str) -> Application:
    """Make the store say what the ledger says of an open application; the application as it is then.

    The ledger is read again after each entry, so of two decisions at one moment both writers see the one that counts.
    """
    application = require_application(store, name)
    if application.state not in OPEN:
        return application
    entries = ledger.about(name)
    confirmation = confirmation_of(entries, name)
    if confirmation is None:
        return application
    state = STATES[confirmation.state_at(datetime.now(UTC))]
    if state is not application.state:
        last = entries[-1] if entries else None
        reason = str(last.details.get("why", "")) if last is not None and state is ApplicationState.REFUSED else ""
        store.move(name, state, why=Text.verbatim(reason) if reason else None)
    return require_application(store, name)


def settle_draft(store: ApplicationStore, ledger: Ledger, draft: Application) -> None:
    """Finish what a killed process began: a draft is recorded when its entry exists, and forgotten otherwise."""
    entries = ledger.about(draft.id)
    first = next((entry for entry in entries if entry.verb == REQUESTED), None)
    confirmation = confirmation_of(entries, draft.id)
    if first is None or confirmation is None:
        store.discard(draft.id)
        return
    store.record(draft.id, STATES[confirmation.state], first.id, first.seq)
