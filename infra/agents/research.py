"""The steps of research: placing orders for the command line, and projects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from credit.errors import Malformed, Missing
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.releases import require_release
from credit.requests.agent import Agent
from credit.requests.settings import AgentSettings
from credit.requests.state_reader import ledger_path
from credit.requests.task import Handler, StepResult, Task, touches_nothing
from credit.settings import read
from credit.shelf import Shelf
from infra.agents.leavers import LeaversDuty
from lab.accounts.accounts import Accounts
from lab.airlock.exits import close_exits, open_exits
from lab.order_placement import place_order
from lab.projects import Project, Projects
from lab.request_placement import place_request
from lab.settings import ResearchSettings
from models.order.order import Order
from models.rows.request import RowsRequest
from models.tables.request import TableRequest


@dataclass(frozen=True, slots=True)
class Research:
    """Research's key and ledger, and the shelf."""

    shelf: Shelf
    key: SigningKey
    ledger: Ledger
    accounts: Accounts

    @classmethod
    def open(cls, settings: AgentSettings, env: Mapping[str, str]) -> Research:
        """Load this zone's key."""
        own, ring = read(ResearchSettings, env, "HAIHE_RESEARCH_"), KeyRing.load(settings.ring)
        key = SigningKey.load(own.keys, "research")
        accounts = Accounts.cached(Ledger(ledger_path(settings.ledgers, "desk"), None, ring, "desk"))
        return cls(Shelf(own.shelf, ring), key, Ledger(own.ledger, key, ring, "research"), accounts)

    def train(self, task: Task) -> StepResult:
        """Place the orders that compute is to train."""
        task.report("verifying the release", 0, 0)
        source = require_release(self.shelf, "research", str(task.arguments.get("release") or ""))
        placed = {}
        for data in task.arguments["orders"]:
            order = Order.parse(data)
            placed[order.model] = place_order(
                order,
                release=source,
                shelf=self.shelf,
                key=self.key,
                by=task.by,
                ledger=self.ledger,
                today=task.today,
            ).id
        return StepResult({"release": source.seal.id, "orders": placed})

    def rows(self, task: Task) -> StepResult:
        """Place the order for rows that compute is to make."""
        project, wanted = self._project_and_request(task)
        order = place_request(RowsRequest.parse(wanted), project, **self._shared(task, wanted))
        return StepResult({"order": order.id, "project": project.name})

    def table(self, task: Task) -> StepResult:
        """Place the order for a table that compute is to make."""
        project, wanted = self._project_and_request(task)
        order = place_request(TableRequest.parse(wanted), project, **self._shared(task, wanted))
        return StepResult({"order": order.id, "project": project.name})

    def _project_and_request(self, task: Task) -> tuple[Project, dict[str, Any]]:
        given = dict(task.arguments)
        project = Projects(self.ledger, self.accounts).get(str(given.pop("project")))
        task.report("verifying the release", 0, 0)
        return project, given

    def _shared(self, task: Task, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """What every order is placed with."""
        release = require_release(self.shelf, "research", str(wanted.get("release") or ""))
        zone = {"shelf": self.shelf, "key": self.key, "ledger": self.ledger}
        return zone | {"release": release, "by": task.by, "today": task.today}

    def project(self, task: Task) -> StepResult:
        """Open, change or close a project."""
        projects, name, given = Projects(self.ledger, self.accounts), str(task.arguments["name"]), task.arguments
        until = date.fromisoformat(str(given.get("until", task.today)))
        acts: Mapping[str, Callable[[], Project]] = {
            "open": lambda: self._open(projects, name, task),
            "members": lambda: projects.set_members(name, _texts(given["members"]), by=task.by),
            "grant": lambda: projects.grant(name, _texts(given["tables"]), by=task.by),
            "extend": lambda: projects.extend(name, until, by=task.by, today=task.today),
            "close": lambda: projects.close(name, by=task.by),
        }
        act = str(task.arguments["act"])
        if act not in acts:
            raise Malformed("research.no-such-act", act=act[:20])
        made = acts[act]()
        shown: dict[str, Any] = {"project": name, "members": list(made.members), "tables": list(made.tables)}
        return StepResult(shown | {"ends_on": made.ends_on.isoformat()})

    def close_exits(self, task: Task) -> StepResult:
        """Let nothing leave the lab until the exits are opened again."""
        why = close_exits(self.ledger, str(task.arguments["why"]), by=task.by, request=task.request.id)
        return StepResult({"closed": True, "why": why})

    def open_exits(self, task: Task) -> StepResult:
        """Let what is approved leave the lab again."""
        why = open_exits(self.ledger, str(task.arguments["why"]), by=task.by, request=task.request.id)
        return StepResult({"closed": False, "why": why})

    def _open(self, projects: Projects, name: str, task: Task) -> Project:
        given = task.arguments
        if name in projects.all() and projects.get(name).title == given["title"]:
            return projects.get(name)  # begun again after it was done
        tables = self._granted(_texts(given.get("tables", ())), bool(given.get("all_tables")))
        return projects.open(
            name,
            title=given["title"],
            purpose=given["purpose"],
            ends_on=date.fromisoformat(str(given["until"])),
            by=task.by,
            today=task.today,
            members=_texts(given.get("members", ())),
            tables=tables,
        )

    def _granted(self, tables: list[str], all_tables: bool) -> list[str]:
        """The tables that a project is granted: every one that is named is in the newest research release."""
        if not tables and not all_tables:
            return []
        released = require_release(self.shelf, "research").seal.terms["tables"]
        if unknown := sorted(set(tables) - set(released)):
            raise Missing("projects.no-such-tables", tables=", ".join(each[:40] for each in unknown[:5]))
        return sorted(released) if all_tables else tables


def _texts(values: Any) -> list[str]:
    return [str(each) for each in values]


def open_agent(settings: AgentSettings, env: Mapping[str, str]) -> Agent:
    """The agent of research."""
    research = Research.open(settings, env)
    steps = {"train": research.train, "rows": research.rows, "table": research.table, "project": research.project}
    urgent = {"close-exits": research.close_exits, "open-exits": research.open_exits}
    handlers = {verb: Handler(step) for verb, step in steps.items()}
    handlers |= {verb: Handler(step, touches_nothing) for verb, step in urgent.items()}  # an order may take seconds
    agent = Agent.open("research", settings, handlers)
    agent.duties.append(LeaversDuty(research.ledger, research.accounts, settings.ledgers, KeyRing.load(settings.ring)))
    return agent
