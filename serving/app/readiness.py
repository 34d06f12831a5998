"""Readiness: whether every model has a fresh snapshot, and the ledger and the access database can be used."""

from __future__ import annotations

from dataclasses import dataclass

from credit.errors import CreditError
from serving.core.service import ScoringService


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of what answers need: by model, and the faults that prevent answers."""

    models: dict[str, dict[str, str]]
    faults: tuple[str, ...]
    dossiers: dict[str, str]  # shown only: scores do not need the credit files
    evaluations: dict[str, dict[str, str]]  # the public evaluations by kind of subject, shown only

    @property
    def ok(self) -> bool:
        """Whether there is no fault."""
        return not self.faults


def readiness(service: ScoringService, others: int = 0) -> Readiness:
    """Check every part that a score needs; `others` is the number of other processes that are not ready."""
    models = service.snapshots.state(service.settings.day())
    faults = [f"{model}: {state['fault']}" for model, state in models.items() if "fault" in state]
    try:
        service.ledger_writer.require_writable()
        service.access.rows("SELECT 1")
    except CreditError as fault:
        faults.append(str(fault))
    if service.switch.fault is not None:
        faults.append(str(service.switch.fault))
    if others:
        faults.append(f"{others} of the other processes are not ready")
    files, day = service.credit_files, service.settings.day()
    return Readiness(models, tuple(faults), files.state(day) if files else {}, service.evaluations.state(day))
