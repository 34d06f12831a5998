"""The steps of a repair as the agents carry them out, one after another in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from credit.catalogue import Catalogue
from credit.requests.flows import FLOWS
from credit.requests.request import Request
from credit.requests.settings import AgentSettings
from credit.requests.task import ReportStep, Task
from credit.settings import read
from infra.agents import compute, custody, platform
from privacy.repair import repair
from privacy.repairs_in_use import repair_records
from tests.infra.repair_home import CITY, DAY, RepairHome

AGENTS = {"custody": custody, "compute": compute, "platform": platform}
KNOWN = Catalogue.load("city")


def quiet(label: str, done: int, total: int) -> None: ...


@dataclass(slots=True)
class RepairSteps:
    """One request in a home; ``results`` are those of the steps that have ended."""

    place: RepairHome
    verb: str = "withdraw"
    documents: Sequence[str] = ()
    report: ReportStep = quiet
    results: list[dict[str, Any]] = field(default_factory=list)

    def carry_out(self, through: str = "platform") -> dict[str, Any]:
        """Carry out the steps that have not ended, through that of a zone; the results of all as one."""
        zones = FLOWS[self.verb].zones
        while (number := len(self.results)) <= zones.index(through):
            env = self.place.home.environment(zones[number])
            agent = AGENTS[zones[number]].open_agent(read(AgentSettings, env, f"HAIHE_{zones[number].upper()}_"), env)
            made = agent.handlers[self.verb].carry_out(self.task(number))
            self.results.append(dict(made.result))
        return {name: value for result in self.results for name, value in result.items()}

    def task(self, number: int) -> Task:
        """One step as its agent sees it."""
        arguments = {"documents": list(self.documents), "catalogue": "city"}
        now = datetime.now(UTC)
        request = Request(
            id=f"request-{1:032x}", verb=self.verb, arguments=arguments, confirm=False, private="", by=CITY,
            factor="invented", at=now, deadline=now + timedelta(hours=1), today=DAY, seq=1,
        )  # fmt: skip
        return Task(request, number, arguments, tuple(self.results), {}, DAY, self.report)


def enter(place: RepairHome, code: str) -> None:
    """The city's repair of a firm's record, and nothing more."""
    repair(place.documents[code], catalogue=KNOWN, vault=place.vault, ledger=place.home.ledger("custody", writing=True),
           by=CITY, on=DAY, today=DAY)  # fmt: skip


def withhold(place: RepairHome, code: str) -> None:
    """Custody's first half: the record is repaired, now or before, and nothing is answered about its subject."""
    env = place.home.environment("custody")
    made = custody.Custody.open(read(AgentSettings, env, "HAIHE_CUSTODY_"), env)
    task = RepairSteps(place, "repair").task(0)
    repair_records(
        [place.documents[code]], on="", catalogue=KNOWN, custody_of=lambda purpose: made.for_purpose(purpose, task),
        vault=made.vault, shelf=made.shelf, ledger=made.ledger, by=CITY, today=DAY, progress=quiet,
    )  # fmt: skip
