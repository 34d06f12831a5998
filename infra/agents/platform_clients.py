"""The steps of the platform around banks and mandates: it records and signs, and the service stores what it signed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.requests.task import StepResult, Task
from credit.shelf import Shelf


@dataclass(frozen=True, slots=True)
class PlatformClients:
    """The platform's key and ledger, the shelf, and the service's ledger, read only."""

    shelf: Shelf
    key: SigningKey
    ledger: Ledger
    answers: Ledger

    def bank(self, task: Task) -> StepResult:
        """Record that a bank is added or changed, before the service does it."""
        checked = task.earlier[0]
        self._record(str(checked["entry"]), f"bank-{task.arguments['name']}", task, dict(checked["details"]))
        return StepResult({})

    def mandate(self, task: Task) -> StepResult:
        """Sign the mandates that the service has prepared, and record them."""
        from serving.auth.mandates import Mandate, sign_mandate

        envelopes = []
        for number, wanted in enumerate(task.earlier[-1]["wanted"]):
            # The id follows from the request, so that a step that is done twice grants one mandate.
            name = f"mandate-{task.request.id.removeprefix('request-')[: 32 - 4]}{number:04x}"
            mandate = Mandate.of({**wanted, "id": name})
            self._record("mandate.granted", mandate.id, task, mandate.statement())
            envelopes.append(json.dumps(sign_mandate(mandate, by=task.by, key=self.key)))
        return StepResult({"envelopes": envelopes})

    def revoke(self, task: Task) -> StepResult:
        """Record that a mandate is revoked, before the service refuses it."""
        name = str(task.arguments["mandate"])
        self._record("mandate.revoked", name, task, {"why": str(task.arguments.get("why", ""))})
        return StepResult({"mandate": name})

    def stop_answers(self, task: Task) -> StepResult:
        """Record that the service gives no answers from now on, and say so in the pointer that it follows."""
        return self._switch(task, stop=True)

    def start_answers(self, task: Task) -> StepResult:
        """Record that the service answers again, and say so in the pointer that it follows."""
        return self._switch(task, stop=False)

    def _switch(self, task: Task, *, stop: bool) -> StepResult:
        from serving.state import answer_switch

        reason = answer_switch.check_reason(str(task.arguments["why"]))
        if answer_switch.check_change(self.shelf, stop=stop, request=task.request.id):
            verb = answer_switch.STOPPED if stop else answer_switch.STARTED
            self._record(verb, "answers", task, {"why": reason})
            answer_switch.set_switch(self.shelf, self.key, stop=stop, reason=reason, request=task.request.id)
        return StepResult({"stopped": stop, "why": reason})

    def subject_key(self, task: Task) -> StepResult:
        """Record that a subject's key is registered or removed, and sign a new one."""
        from serving.mandates.granting import KEY_ADDED, KEY_REMOVED
        from serving.mandates.subject_keys import key_statement, sign_key

        checked = task.earlier[0]
        subject, name = str(checked["subject"]), str(checked["thumbprint"])
        if "jwk" not in checked:
            self._record(KEY_REMOVED, f"subject-{subject}", task, {"thumbprint": name})
            return StepResult({})
        statement = key_statement(subject, checked["jwk"])
        self._record(KEY_ADDED, f"subject-{subject}", task, {"thumbprint": str(statement["thumbprint"])})
        return StepResult({"envelope": sign_key(statement, self.key)})

    def sandbox(self, task: Task) -> StepResult:
        """Record the invented bank, and sign the invented mandates."""
        self._record("bank.added", f"bank-{task.arguments['name']}", task, {"sandbox": True})
        return self.mandate(task)

    def record_destructions(self, task: Task) -> StepResult:
        """The platform's part of a sweep: seal what answers rest on, and record each destruction."""
        from models.snapshots.retention import Retention
        from serving.data.excerpt import make_excerpt

        days = int(task.arguments.get("days", 30))
        task.report("reading the answers", 0, 0)
        rule = Retention(self.shelf, self.answers, task.today, days, make_excerpt, task.report)
        due = rule.due()
        if task.arguments.get("dry_run"):
            return StepResult({"due": [{"id": each.seal.id, "why": each.why} for each in due], "destroyed": []})
        destroyed = []
        for number, each in enumerate(due):
            task.report("recording destructions", number, len(due))
            destroyed.append(rule.record(each, by=task.by, key=self.key, ledger=self.ledger))
        return StepResult({"due": [{"id": one["id"], "why": one["why"]} for one in destroyed], "destroyed": destroyed})

    def _record(self, verb: str, name: str, task: Task, details: dict[str, Any]) -> None:
        """Append an entry once a request: a step that is done twice records one act."""
        marked = {**details, "request": task.request.id}
        if not any(entry.verb == verb and entry.details == marked for entry in self.ledger.about(name)):
            self.ledger.append(verb, name, by=task.by, details=marked)
