"""Trainings (训练任务) asked for: folded from the research ledger, and what became of them from the compute ledger.

::

    research   training.asked      order-…   because {project, release, model}    by the researcher
    research   training.cancelled  order-…   because {project}
    compute    version.made        version-… because {order, release, mlflow_run}
    compute    training.failed     order-…   because {asked: the last asking's number, why, remedy}

An order is one thing however often and by whomever it is asked: it is trained while any project still wants it. Asking
again after a failure tries again; a version once made is never made anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from credit.actor import Actor
from credit.ledger import Entry


@dataclass(frozen=True, slots=True)
class Asked:
    """One project's wish for an order. ``seq`` is the number of its entry; ``cancelled`` when it was taken back."""

    order: str
    project: str
    by: Actor
    at: datetime
    seq: int
    model: str
    cancelled: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an order: a version, or why not."""

    at: datetime
    version: str = ""
    why: str = ""
    remedy: str = ""
    asked: int = 0  # a failure answers askings up to this number


class Trainings:
    """Listens to both ledgers (:class:`credit.ledger_follower.Follower`)."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], Asked] = {}
        self._made: dict[str, Ended] = {}
        self._failed: dict[str, Ended] = {}

    def hear_research(self, entry: Entry) -> None:
        """Take in an entry of the research ledger."""
        told = entry.because
        key = (entry.object, str(told.get("project", "")))
        if entry.verb == "training.asked":
            self._asked.pop(key, None)  # asked again: last in the queue
            self._asked[key] = Asked(*key, entry.by, entry.at, entry.seq, str(told.get("model", "")))
        elif entry.verb == "training.cancelled" and key in self._asked:
            was = self._asked[key]
            self._asked[key] = Asked(was.order, was.project, was.by, was.at, was.seq, was.model, entry.at)

    def hear_compute(self, entry: Entry) -> None:
        """Take in an entry of the compute ledger."""
        told = entry.because
        if entry.verb == "version.made":
            self._made[str(told["order"])] = Ended(entry.at, version=entry.object)
        elif entry.verb == "training.failed":
            why, remedy = str(told.get("why", "")), str(told.get("remedy", ""))
            self._failed[entry.object] = Ended(entry.at, why=why, remedy=remedy, asked=int(told.get("asked", 0)))

    def of(self, project: str) -> list[Asked]:
        """What a project asked for, the oldest first."""
        return [asked for asked in list(self._asked.values()) if asked.project == project]

    def get(self, order: str, project: str) -> Asked | None:
        """One project's wish for an order; None when it never asked."""
        return self._asked.get((order, project))

    def ended(self, asked: Asked) -> Ended | None:
        """What became of it: made, or failed after this asking; None while it is waiting or running."""
        if asked.order in self._made:
            return self._made[asked.order]
        failed = self._failed.get(asked.order)
        return failed if failed and failed.asked >= asked.seq else None

    def waiting(self) -> list[Asked]:
        """The wishes that are neither cancelled nor ended, in the order asked."""
        return [each for each in list(self._asked.values()) if each.cancelled is None and self.ended(each) is None]
