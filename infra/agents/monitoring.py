"""The steps of monitoring: compute makes the report of a champion and raises alerts; the platform acknowledges them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from credit.alerts import ACKNOWLEDGED, ALERTED, read_alerts
from credit.errors import Broken, Malformed, Missing
from credit.ledger import Ledger
from credit.messages import Text
from credit.requests.task import StepResult, Task
from credit.shelf import Shelf
from credit.versions import require_champion

if TYPE_CHECKING:
    from infra.agents.compute_zone import Compute

MAXIMUM_WORDS = 400  # characters of a reason, which the ledger keeps for good
RAISED = ("model", "version", "watch", "since", "month", "state", "value", "limit", "p", "rows")


def monitor_champion(compute: Compute, task: Task) -> StepResult:
    """Make the report of a model's champion; each alert that is new becomes an entry of compute's ledger."""
    from models.champion_report.loan_events import NONE, read_reported_loans
    from models.champion_report.report import champion_report

    model, folder = str(task.arguments["model"]), compute.settings.outcomes
    version = require_champion(compute.shelf, model)
    task.report("reading the outcomes", 0, 0)
    is_there = folder is not None and _is_readable(folder)
    loans = read_reported_loans(Shelf(folder, compute.shelf.ring)) if folder is not None and is_there else NONE
    task.report("comparing the months", 0, 0)
    report = champion_report(compute.shelf, version, loans, task.today)
    raised = []
    for alert in report.alerts():
        if not compute.ledger.about(alert["alert"]):
            data = {"model": model, "version": report.version, **alert}
            details = {name: data[name] for name in RAISED}
            compute.ledger.append(ALERTED, alert["alert"], by=task.by, details=details)
            raised.append(alert["alert"])
    result = {"model": model, "version": report.version, "raised": raised, "outcomes": is_there}
    return StepResult(result, private={"report": report.to_json()})


def _is_readable(folder: Path) -> bool:
    """Whether there are outcomes. Raises Broken for a folder that may not be read, which is not one without any."""
    try:
        with os.scandir(folder) as entries:
            next(entries, None)
    except FileNotFoundError:
        return False
    except OSError as unreadable:
        raise Broken("monitoring.outcomes-unreadable", why=Text.verbatim(type(unreadable).__name__)) from unreadable
    return True


def acknowledge_alert(task: Task, compute: Ledger, platform: Ledger) -> StepResult:
    """Enter that a person acknowledges an alert, and why. Raises Missing for no alert, Malformed without a reason."""
    name, why = str(task.arguments["alert"]), str(task.arguments.get("why", "")).strip()
    if not 1 <= len(why) <= MAXIMUM_WORDS:
        raise Malformed("monitoring.reason-required", most=MAXIMUM_WORDS)
    alert = next((each for each in read_alerts(compute, platform) if each.id == name), None)
    if alert is None:
        raise Missing("monitoring.no-such-alert")
    if alert.acknowledged_by is not None:
        raise Malformed("monitoring.acknowledged-already", by=str(alert.acknowledged_by))
    platform.append(ACKNOWLEDGED, name, by=task.by, details={"why": why, "version": str(alert.details["version"])})
    return StepResult({"alert": name})
