"""What notebooks request of the platform: to register a version of their project, so that it is judged.

The research zone writes the request into its ledger; the platform's agent reads it there, checks again who made it, and
registers the version as that person. What it refuses it enters with the reason, which the notebook then shows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from credit.actor import Actor, Role
from credit.errors import CreditError, Refused
from credit.ledger import Entry, Ledger
from credit.registrations import REFUSED, REQUEST
from credit.requests.agent import log_event
from credit.requests.failure import messages_of
from credit.seal import Kind
from credit.separation.account_history import has_role_throughout
from credit.separation.involvement import PeopleHistory
from credit.separation.span import Span
from credit.shelf import OpenedSeal, Shelf
from infra.agents.entry_queue import EntryQueue, why_of
from infra.processes import probe

if TYPE_CHECKING:
    from models.registry.mlflow_registry import Registry

AGENT = Actor("platform-agent", Role.SERVICE)
PAUSE, PAUSE_AFTER_FAULT = 1.0, 5.0  # seconds between two reads


@dataclass(frozen=True, slots=True)
class NotebookRegistrations:
    """Registers the versions that notebooks name. ``registry`` opens MLflow, which may be away, at ``uri``."""

    shelf: Shelf
    ledger: Ledger
    research: Ledger
    people: Callable[[], PeopleHistory]
    registry: Callable[[], Registry]
    uri: str

    def __call__(self, end: threading.Event) -> None:
        """Work until ``end`` is set; without MLflow the requests wait."""
        queue = EntryQueue(self.research, REQUEST, "platform")
        while not end.wait(PAUSE):
            try:
                if queue.read():
                    queue.work_off(self.register, end)
            except Exception as error:  # a thread that ended would leave all requests unanswered
                log_event("registrations waiting", zone=AGENT.name, why=why_of(error))
                end.wait(PAUSE_AFTER_FAULT)

    def register(self, request: Entry) -> None:
        """Carry out one request, once. Raises :class:`OSError` while MLflow is away."""
        from models.promotion.promote import register

        version = request.object
        if any(entry.details.get("request") == request.id for entry in self.ledger.about(version)):
            return
        if not probe(f"{self.uri}/health"):
            raise OSError("MLflow does not answer")
        try:
            opened = self.shelf.open(version)
            self._require_own(request, opened)
            note = str(request.details.get("note", ""))
            register(opened, by=request.by, ledger=self.ledger, registry=self.registry(), note=note, request=request.id)
        except CreditError as error:
            details = {"request": request.id, "messages": messages_of(error)}
            self.ledger.append(REFUSED, version, by=AGENT, details=details)

    def _require_own(self, request: Entry, opened: OpenedSeal) -> None:
        """Raise :class:`Refused` unless a researcher requested a version of an order of their project."""
        people, name, project = self.people(), request.by.name, str(request.details.get("project", ""))
        since = Span(request.at)
        if request.by.role is not Role.RESEARCHER or not has_role_throughout(
            people.accounts, name, Role.RESEARCHER, since
        ):
            raise Refused("registrations.no-researcher", name=name)
        orders = [parent for parent in opened.seal.parents if parent.startswith(f"{Kind.ORDER}-")]
        placed = opened.seal.kind is Kind.VERSION and any(
            placement.project == project for placement in people.projects.placements(orders)
        )
        if not placed or not people.projects.was_member(name, project, since):
            raise Refused("registrations.not-yours", name=name)
