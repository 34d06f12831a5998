"""The steps of the service around applications for mandates, and around what subjects do themselves."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from credit.confirmation import Move
from credit.errors import Malformed
from credit.ledger import Ledger, LookUp
from credit.requests.task import StepResult, Task
from credit.subjects import PseudonymKey
from credit.uscc import Uscc
from serving.mandates.application_store import Application
from serving.mandates.applications import Applications
from serving.mandates.decisions import REQUESTED, decide, require_application
from serving.mandates.rules import KIND
from serving.mandates.subject_keys import key_statement
from serving.mandates.subject_sessions import LINK_SECONDS
from serving.settings import ServiceSettings

MOVES = {"confirm": Move.CONFIRM, "refuse": Move.REFUSE}


@dataclass(frozen=True, slots=True)
class ServiceMandates:
    """The service's applications, its ledger and its pseudonyms."""

    applications: Applications
    ledger: Ledger
    pseudonyms: PseudonymKey
    settings: ServiceSettings

    def application(self, task: Task) -> StepResult:
        """List what waits for a person, show one with its document, or confirm or refuse one or a whole batch."""
        act, name = str(task.arguments["act"]), str(task.arguments.get("application", ""))
        store = self.applications.store
        if act == "list":
            waiting = [_row(each) for each in store.waiting(limit=1000)]
            return StepResult({"count": len(waiting)}, private={"applications": waiting})
        if act == "show":
            row = _row(require_application(store, name))
            media, content = store.document(name) or ("", b"")
            row |= {"media": media, "content": base64.b64encode(content).decode()}
            return StepResult({"application": name}, private={"application": row})
        if act not in MOVES:
            raise Malformed("mandate-applications.not-an-act", acts=", ".join(("list", "show", *MOVES)))
        return self._decide(task, name, MOVES[act])

    def _decide(self, task: Task, name: str, move: Move) -> StepResult:
        store, why = self.applications.store, str(task.arguments.get("why", ""))
        is_batch = name.startswith(f"{KIND}s-")
        names = self._of_batch(task, name) if is_batch else [name]
        details: dict[str, Any] = {"request": task.request.id, **({"why": why} if why else {})}
        for number, each in enumerate(names):
            task.report("deciding applications", number, len(names))
            decide(store, self.ledger, each, move, by=task.by, details=details)
        return StepResult({"application": name, "decided": len(names)})

    def _of_batch(self, task: Task, batch: str) -> list[str]:
        """What waits of a batch and was made before the person decided: a bank can have further ones made later."""
        made = self.ledger.find(LookUp(verb=REQUESTED, batch=batch, until=task.request.at))
        known = {entry.object for entry in made}
        return [each.id for each in self.applications.store.waiting(batch, limit=1000) if each.id in known]

    def subject_key(self, task: Task) -> StepResult:
        """Check a subject's key for the platform's signature, and store it once it is signed; or remove one."""
        keys = self.applications.keys
        subject = self.pseudonyms.key_of(Uscc.parse(str(task.arguments["uscc"])).code).hex
        drop, jwk = str(task.arguments.get("drop", "")), task.arguments.get("key")
        if task.step > 0:
            if drop:
                keys.remove(subject, drop)
                return StepResult({"thumbprint": drop})
            return StepResult({"thumbprint": keys.add(dict(task.earlier[-1]["envelope"]))})
        if drop:
            return StepResult({"subject": subject, "thumbprint": drop})
        if not isinstance(jwk, dict):
            raise Malformed("mandate-consent.not-a-key", kinds="EdDSA, ES256")
        statement = key_statement(subject, jwk)
        keys.require_place(subject, str(statement["thumbprint"]))
        return StepResult(statement)

    def subject_link(self, task: Task) -> StepResult:
        """Make a link by which a subject opens its own page once; it goes to the person who asked alone."""
        uscc = Uscc.parse(str(task.arguments["uscc"])).code
        settings = self.settings
        token = self.applications.sessions.make_link(self.pseudonyms.key_of(uscc).hex, uscc)
        address = settings.issuer.rstrip("/") or f"http://{settings.host}:{settings.port}"
        days = int(LINK_SECONDS // 86_400)
        return StepResult({"days": days}, private={"link": f"{address}/subject/open/{token}"})


def _row(each: Application) -> dict[str, Any]:
    at = datetime.fromtimestamp(each.made_at, UTC).isoformat(timespec="seconds")
    return {
        "application": each.id, "bank": each.bank, "purpose": each.purpose, "until": each.until,
        "evidence": each.evidence, "document": each.digest, "batch": each.batch, "state": each.state, "at": at,
    }  # fmt: skip
