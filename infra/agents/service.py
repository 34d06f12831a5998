"""The steps of the service: what the platform has signed goes into the database that answers banks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from credit.errors import Malformed
from credit.keys import KeyRing, SigningKey, load_secret
from credit.ledger import Ledger
from credit.requests.agent import Agent
from credit.requests.settings import AgentSettings
from credit.requests.task import Handler, StepResult, Task
from credit.settings import read
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from credit.uscc import Uscc
from infra.agents.mandates import ProposingMandates
from infra.agents.service_mandates import ServiceMandates
from serving.app.wiring import open_applications
from serving.auth import mandates
from serving.auth.access_database import AccessDatabase
from serving.auth.client_changes import ClientChange
from serving.mandates.applications import Applications
from serving.mandates.proposals import MandateClerk
from serving.settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class Service:
    """The service's database, keys and ledger."""

    settings: ServiceSettings
    shelf: Shelf
    ring: KeyRing
    ledger: Ledger
    access: AccessDatabase
    pseudonyms: PseudonymKey
    applications: Applications

    @classmethod
    def open(cls, settings: AgentSettings, env: Mapping[str, str]) -> Service:
        """Load this zone's key and secrets."""
        own, ring = read(ServiceSettings, env, "HAIHE_SERVICE_"), KeyRing.load(settings.ring)
        key = SigningKey.load(own.keys, "service")
        pseudonyms = PseudonymKey("scoring", load_secret(own.keys / "pseudonym-scoring.key"), own.algorithm)
        ledger = Ledger(own.ledger, key, ring, "service")
        access = AccessDatabase(own.store_place)
        return cls(own, Shelf(own.shelf, ring), ring, ledger, access, pseudonyms, open_applications(own, access.store))

    def bank(self, task: Task) -> StepResult:
        """Check a change of a bank, and make it once the platform has recorded it."""
        change = ClientChange.of(task.arguments)
        if task.step == 0:
            return StepResult(change.check(self.access))
        is_new = task.earlier[0]["entry"] == "bank.added"
        secret = change.make(self.access, is_new=is_new)
        return StepResult({"bank": change.name, "new": is_new}, private={"secret": secret} if secret else {})

    def mandate(self, task: Task) -> StepResult:
        """Prepare a mandate for the platform's signature, and store it once it is signed."""
        if task.step > 0:
            return self._store(task)
        bank, code = str(task.arguments["bank"]), Uscc.parse(str(task.arguments["uscc"])).code
        mandates.require_bank(self.access, bank)
        statement = {
            "bank": bank,
            "subject": self.pseudonyms.key_of(code).hex,
            "purpose": str(task.arguments["purpose"]),
            "document_kind": str(task.arguments.get("document_kind") or "e-signed"),
            "document": str(task.arguments["document"]),
            "from": task.today.isoformat(),
            "until": _day(str(task.arguments["until"])).isoformat(),
        }
        mandates.Mandate(  # refused before the platform signs anything
            f"mandate-{0:032x}",
            bank,
            self.pseudonyms.key_of(code),
            statement["purpose"],
            statement["document_kind"],
            statement["document"],
            task.today,
            _day(statement["until"]),
        )
        return StepResult({"wanted": [statement]})

    def revoke(self, task: Task) -> StepResult:
        """Check that there is such a mandate, and refuse it once the platform has recorded that."""
        name = str(task.arguments["mandate"])
        if task.step == 0:
            mandates.require_mandate(self.access, name)
        else:
            mandates.mark_revoked(self.access, name)
        return StepResult({"mandate": name})

    def review(self, task: Task) -> StepResult:
        """Answer an objection as the person of the platform decided it."""
        from serving.endpoints.objections.objection_review import decide

        name, outcome = str(task.arguments["objection"]), str(task.arguments["outcome"])
        decide(self.access, self.ledger, name, outcome, by=task.by, why=str(task.arguments["why"]))
        return StepResult({"objection": name, "outcome": outcome})

    def sandbox(self, task: Task) -> StepResult:
        """Choose the invented firms of an invented bank, and store what the platform signed for it."""
        from serving import bank_sandbox
        from serving.data.snapshot import open_snapshot, read_pointers

        name = str(task.arguments["name"])
        if task.step > 1:
            secret = "" if self.access.client(name) else self.access.add_client(name)
            self._store(task)
            made = {"name": name, "secret": secret, "firms": task.earlier_private["firms"]}
            return StepResult({"bank": name}, private=made)
        if self.access.client(name) is not None:
            raise Malformed("tenants.bank-exists-already", name=name)
        task.report("choosing the firms", 0, 0)
        snapshot = open_snapshot(self.shelf, read_pointers(self.shelf, str(task.arguments["model"])))
        bank_sandbox.require_invented(self.shelf, snapshot.release)
        codes, repaired = task.earlier_private["codes"], task.earlier_private["repaired"]
        of_kind = [code for code in codes if Uscc(code).kind == snapshot.subject_kind]
        chosen = bank_sandbox.choose_firms(snapshot, of_kind, repaired, self.pseudonyms)
        identity = task.request.id.removeprefix("request-")[:28]
        wanted, firms = bank_sandbox.plan_mandates(
            chosen, bank=name, day=task.today, pseudonyms=self.pseudonyms, first=f"mandate-{identity}"
        )
        return StepResult({"wanted": wanted}, private={"firms": {role: asdict(firm) for role, firm in firms.items()}})

    def _store(self, task: Task) -> StepResult:
        stored = [
            mandates.store_mandate(self.access, json.loads(envelope), self.ring).id
            for envelope in task.earlier[-1]["envelopes"]
        ]
        return StepResult({"mandates": stored})


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Malformed("options.not-day") from error


def open_agent(settings: AgentSettings, env: Mapping[str, str]) -> Agent:
    """The agent of the service."""
    service = Service.open(settings, env)
    steps: dict[str, Any] = {"bank": service.bank, "mandate": service.mandate, "revoke": service.revoke}
    steps |= {"review": service.review, "sandbox": service.sandbox}
    requested = ServiceMandates(service.applications, service.ledger, service.pseudonyms, service.settings)
    steps |= {"application": requested.application, "subject-key": requested.subject_key}
    steps |= {"subject-link": requested.subject_link}
    agent = Agent.open("service", settings, {verb: Handler(step) for verb, step in steps.items()})
    clerk = MandateClerk(
        service.applications.store, service.access, service.ledger, agent.ledger, service.ring
    )  # fmt: skip
    agent.background.append(ProposingMandates(agent, clerk))
    return agent
