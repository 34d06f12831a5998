"""Alerts (告警) of monitoring: what compute entered in its ledger, and who of the platform acknowledged it.

An alert is raised once, under a name that follows from the version, the watch and the month since when; it stays open
until a person of the platform acknowledges it with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credit.actor import Actor
from credit.ledger import Ledger
from credit.ledger.segments.lookup import LookUp

ALERTED, ACKNOWLEDGED = "model.alerted", "alert.acknowledged"  # the verbs of compute's and of the platform's ledger


@dataclass(frozen=True, slots=True)
class Alert:
    """``details`` hold model, version, watch, since, month, value, limit, p and rows, as it was raised."""

    id: str
    at: datetime
    details: dict[str, Any]
    acknowledged_by: Actor | None = None
    acknowledged_at: datetime | None = None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """The alert as JSON values."""
        return {
            "alert": self.id, "at": self.at.isoformat(), **self.details,
            "acknowledged_by": str(self.acknowledged_by) if self.acknowledged_by else None,
            "acknowledged_at": self.acknowledged_at.isoformat() if self.acknowledged_at else None,
            "reason": self.reason,
        }  # fmt: skip


def read_alerts(compute: Ledger, platform: Ledger) -> list[Alert]:
    """Every alert, the newest first. An acknowledgement of something that is no alert counts for nothing."""
    acknowledged = {entry.object: entry for entry in platform.find(LookUp(verb=ACKNOWLEDGED))}
    alerts = []
    for entry in compute.find(LookUp(verb=ALERTED)):
        done = acknowledged.get(entry.object)
        by = (done.by, done.at, str(done.details.get("why", ""))) if done else (None, None, "")
        alerts.append(Alert(entry.object, entry.at, dict(entry.details), *by))
    return sorted(alerts, key=lambda alert: alert.at, reverse=True)


def open_alerts(compute: Ledger, platform: Ledger) -> list[Alert]:
    """The alerts that no person has acknowledged."""
    return [alert for alert in read_alerts(compute, platform) if alert.acknowledged_by is None]
