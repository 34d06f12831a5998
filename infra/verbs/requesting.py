"""How a verb is carried out: it asks the front desk, shows the progress, and gives what the zones made.

This process holds no zone's key. Where no desk runs, one is started together with the agents that the verb needs, for
as long as it takes; on a machine with service units the verb names them instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from credit.actor import Actor, Role
from credit.requests.desk_client import DeskClient, DeskUnavailable
from credit.requests.flows import flow_of
from credit.requests.task import ReportStep
from infra import stack
from infra.desk import running
from infra.desk.agent_processes import AgentProcesses
from infra.home import Home
from infra.progress import ReportProgress, progress
from infra.sign_in.token_file import stored_token

TRIES = 5  # times that a verb starts the desk again when another command took its own away
MLFLOW = frozenset({"train", "register", "promote", "roll-back"})
"""The verbs that log into MLflow."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a request made: the result of each step, and what went to the person alone."""

    results: list[dict[str, Any]]
    private: dict[str, Any]

    @property
    def last(self) -> dict[str, Any]:
        """The result of the last step."""
        return self.results[-1]


@contextmanager
def front_desk(home: Home, by: str = "", report: ReportProgress | None = None) -> Iterator[DeskClient]:
    """The desk of a home; where none runs, one for as long as the block takes."""
    if running.socket_of(home) is None:
        running.require_own(home)
        if report is not None:
            report("starting the front desk and the agents", 0, 0)
    with running.desk_here(home) as socket:
        yield DeskClient(socket, token=stored_token(home), by=by)


def carry_out(home: Home, verb: str, arguments: Mapping[str, Any], *, by: str = "", today: str = "") -> Made:
    """Request a verb and wait for it. Raises the error of the desk, or with which a step failed."""
    flow = flow_of(verb)
    require_named(by, flow.roles, act=flow.act)
    state: dict[str, Any] | None = None
    with progress() as report:
        for _ in range(TRIES):
            try:
                with front_desk(home, by, report) as client:
                    # The person is known before anything else is started.
                    state = client.state(state["id"]) if state else client.request(verb, arguments, today=today)
                    with _agents(home, verb, flow.zones, report) as agents:
                        return Made(*client.wait(state, _watching(agents, report)))
            except DeskUnavailable:  # another command had started the desk, and has ended
                continue
    raise DeskUnavailable("desk-client.desk-does-not-answer")


@contextmanager
def _agents(home: Home, verb: str, zones: tuple[str, ...], report: ReportProgress) -> Iterator[AgentProcesses]:
    """The agents that a verb needs, as far as they do not run; and MLflow, when one of them logs into it."""
    named = os.environ.get("HAIHE_COMPUTE_MLFLOW_URI")
    with ExitStack() as started:
        if verb in MLFLOW and not named and not running.agent_runs(home, zones[-1]):
            report("starting MLflow", 0, 0)
            named = started.enter_context(stack.mlflow_server(home))
        env = {"HAIHE_COMPUTE_MLFLOW_URI": named, "HAIHE_PLATFORM_MLFLOW_URI": named} if named else {}
        yield started.enter_context(running.agents(home, dict.fromkeys(zones), env))


def _watching(agents: AgentProcesses, report: ReportProgress) -> ReportStep:
    """Report progress; and at each report, start again the agents that have ended: no service manager does it here."""

    def report_step(label: str, done: int, total: int) -> None:
        agents.restart_ended()
        report(label, done, total)

    return report_step


def require_named(by: str, roles: Sequence[Role], *, act: str) -> None:
    """Raise :class:`Refused` when ``--by`` names a role that may not do this; the desk decides about everything else.

    A wrong role is refused before a process is started or a file is read.
    """
    if by:
        Actor.parse(by).require_role(*roles, act=act)
