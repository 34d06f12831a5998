"""The steps of the platform: what is in production, promotions, exports, and what it signs for banks and mandates.

A step imports what it needs when it is first carried out: an agent that only points at a snapshot starts in a second.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credit.canonical import digest
from credit.envelope import sign_envelope
from credit.errors import Malformed
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.ledger.follower import CachedLedger
from credit.requests.agent import Agent
from credit.requests.settings import AgentSettings
from credit.requests.state_reader import ledger_path
from credit.requests.task import Handler, StepResult, Task, touches_nothing
from credit.separation.involvement import PeopleHistory
from credit.settings import read
from credit.shelf import Shelf
from credit.versions import champion_of, require_champion, require_version
from infra.agents.champion_aliases import AliasWatch
from infra.agents.mandates import SigningMandates, is_requested
from infra.agents.monitoring import acknowledge_alert
from infra.agents.platform_clients import PlatformClients
from infra.agents.registrations import NotebookRegistrations
from lab.accounts.accounts import Accounts
from models.settings import ComputeSettings

if TYPE_CHECKING:
    from models.registry.mlflow_registry import Registry

PEOPLE_VERBS = ("project", "order", "training")  # the entries of research that say who had a part in what


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform's key and ledger, the shelf, and where MLflow and Ray are."""

    settings: ComputeSettings
    shelf: Shelf
    key: SigningKey
    ledger: Ledger
    answers: Ledger  # the service's, read only
    computed: Ledger  # compute's, read only
    research: Ledger  # read only: who was a member of which project when
    accounts: Accounts

    @classmethod
    def open(cls, settings: AgentSettings, env: Mapping[str, str]) -> Platform:
        """Load this zone's key."""
        own, ring = read(ComputeSettings, env, "HAIHE_PLATFORM_"), KeyRing.load(settings.ring)
        key = SigningKey.load(settings.keys, "platform")
        answers = Ledger(settings.ledgers / "service.jsonl", None, ring, "service")
        computed = Ledger(settings.ledgers / "compute.jsonl", None, ring, "compute")
        research = CachedLedger.of(Ledger(settings.ledgers / "research.jsonl", None, ring, "research"), *PEOPLE_VERBS)
        accounts = Accounts.cached(Ledger(ledger_path(settings.ledgers, "desk"), None, ring, "desk"))
        ledger = Ledger(own.ledger, key, ring, "platform")
        return cls(own, Shelf(settings.shelf, ring), key, ledger, answers, computed, research, accounts)

    def point(self, task: Task) -> StepResult:
        """Point at what compute has made, so that the service answers from it."""
        from models.snapshots.pointers import point_dossiers, point_snapshot

        made = task.earlier[-1]
        snapshots = dict(made.get("snapshots", {}))
        for snapshot in snapshots.values():
            point_snapshot(self.shelf, self.shelf.open(snapshot, deep=False).seal, key=self.key)
        if made.get("dossiers"):
            point_dossiers(self.shelf, self.shelf.open(str(made["dossiers"]), deep=False).seal, key=self.key)
        return StepResult(
            {"pointed": [*dict(made.get("snapshots", {})), *(["dossiers"] if "dossiers" in made else [])]}
        )

    def register(self, task: Task) -> StepResult:
        """Put a version into MLflow and request its promotion."""
        from models.promotion.promote import register

        version = require_version(self.shelf, str(task.arguments["version"]))
        task.report(f"registering {version.seal.terms['model']}", 0, 0)
        note = str(task.arguments.get("note") or "")
        number = register(version, by=task.by, ledger=self.ledger, registry=self.registry(), note=note)
        return StepResult({"version": version.seal.id, "mlflow_version": number})

    def promote(self, task: Task) -> StepResult:
        """Judge a version at the gate and, when it passes, make it the champion."""
        from models.distributed.ray_cluster import cluster, in_process
        from models.promotion.promote import promote

        version = require_version(self.shelf, str(task.arguments["version"]))
        task.report(f"measuring {version.seal.terms['model']} again, and judging", 0, 0)
        address, token = self.settings.ray_address, self.settings.ray_token
        with cluster(address, token=token) if address else nullcontext(in_process()) as tasks:
            waiver = str(task.arguments.get("waiver") or "")
            decision = promote(version, registry=self.registry(), tasks=tasks, waiver=waiver, **self.shared(task))
        return StepResult({"version": version.seal.id, **decision.as_json()})

    def refuse(self, task: Task) -> StepResult:
        """Refuse the promotion of a version that waits for it, for the reason that the request gives."""
        from models.promotion.promote import refuse

        version = require_version(self.shelf, str(task.arguments["version"]))
        shared = {name: value for name, value in self.shared(task).items() if name not in ("platform_key", "today")}
        refuse(version, why=str(task.arguments["why"]), **shared)
        return StepResult({"version": version.seal.id})

    def roll_back(self, task: Task) -> StepResult:
        """Make a version that was promoted before the champion again."""
        from models.promotion.promote import roll_back

        version = require_version(self.shelf, str(task.arguments["version"]))
        roll_back(version, why=str(task.arguments["why"]), registry=self.registry(), **self.shared(task))
        return StepResult({"version": version.seal.id})

    def export(self, task: Task) -> StepResult:
        """Write a version as SQL or PMML; the text goes to the person who asked."""
        from models.registry.exports.pmml import as_pmml
        from models.registry.exports.sql import as_sql
        from models.scoring.scorer import Scorer

        version, form = require_champion(self.shelf, str(task.arguments["version"])), str(task.arguments["form"])
        if form not in ("sql", "pmml"):
            raise Malformed("platform.no-such-form", form=form)
        scorer = Scorer.load(version.path)
        text = as_sql(scorer, str(task.arguments.get("table") or "features")) if form == "sql" else as_pmml(scorer)
        champion = champion_of(self.shelf, str(version.seal.terms["model"])) == version.seal.id
        details = {"as": form, "digest": digest(text.encode()), "champion": champion}
        self.ledger.append("version.exported", version.seal.id, by=task.by, details=details)
        made = {"version": version.seal.id, "as": form, "bytes": len(text), "champion": champion}
        return StepResult(made, private={"text": text})

    def usage(self, task: Task) -> StepResult:
        """Count what each bank used in a month, and sign the statement."""
        from serving.audit.usage import PAYLOAD_TYPE, statement

        month, bank = str(task.arguments["month"]), task.arguments.get("bank")
        task.report("reading and verifying the service's ledger", 0, 0)
        lines = statement(self.answers.verified(), month, str(bank) if bank else None)
        payload = {"month": month, "lines": lines, "ledger": dict(zip(("seq", "id"), self.answers.head(), strict=True))}
        signed = json.dumps(sign_envelope(payload, PAYLOAD_TYPE, self.key))
        return StepResult({"month": month, "count": len(lines)}, private={"lines": lines, "signed": signed})

    def shared(self, task: Task) -> dict[str, Any]:
        """What a judgement is made with."""
        return {
            "by": task.by,
            "shelf": self.shelf,
            "platform_key": self.key,
            "ledger": self.ledger,
            "today": task.today,
            "people": self.people,
        }

    def acknowledge(self, task: Task) -> StepResult:
        """Enter that a person acknowledges an alert of monitoring."""
        return acknowledge_alert(task, self.computed, self.ledger)

    def people(self) -> PeopleHistory:
        """Who had a part in what, as the ledgers say now."""
        return PeopleHistory.of(self.research.entries(), self.accounts)

    def registry(self) -> Registry:
        """MLflow; raises :class:`Missing` when it does not answer."""
        from models.registry.mlflow_registry import Registry

        registry = Registry(self.settings.mlflow_uri)
        registry.require()
        return registry


def open_agent(settings: AgentSettings, env: Mapping[str, str]) -> Agent:
    """The agent of the platform."""
    from serving.mandates.granting import MandateSigner
    from serving.mandates.rules import mandate_rules

    platform = Platform.open(settings, env)
    clients = PlatformClients(platform.shelf, platform.key, platform.ledger, platform.answers)
    steps = {
        **dict.fromkeys(("repair", "withdraw", "snapshot", "dossiers", "evaluate"), platform.point),
        "register": platform.register,
        "promote": platform.promote,
        "refuse-promotion": platform.refuse,
        "roll-back": platform.roll_back,
        "export": platform.export,
        "acknowledge": platform.acknowledge,
        "usage": platform.usage,
        "sweep": clients.record_destructions,
        "bank": clients.bank,
        "mandate": clients.mandate,
        "revoke": clients.revoke,
        "sandbox": clients.sandbox,
        "subject-key": clients.subject_key,
    }
    urgent = {"stop-answers": clients.stop_answers, "start-answers": clients.start_answers}
    handlers = {verb: Handler(step) for verb, step in steps.items()}
    handlers |= {verb: Handler(step, touches_nothing) for verb, step in urgent.items()}  # a promotion takes minutes
    agent = Agent.open("platform", settings, handlers)
    most_days, rules = mandate_rules(platform.settings.mandate_rules)
    signer = MandateSigner(
        platform.key, platform.ledger, platform.answers, is_requested(agent.reader), most_days, rules
    )
    agent.background += [
        SigningMandates(agent, signer),
        NotebookRegistrations(
            platform.shelf,
            platform.ledger,
            Ledger(settings.ledgers / "research.jsonl", None, platform.ledger.ring, "research"),
            platform.people,
            platform.registry,
            platform.settings.mlflow_uri,
        ),
        AliasWatch(platform.shelf, platform.ledger, platform.registry, platform.settings.mlflow_uri),
    ]
    return agent
