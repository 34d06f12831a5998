"""Training requests (训练任务): what projects requested in the research ledger, and the results in the compute ledger.

::

    research   training.asked      order-…   {project, release, model}    by the researcher
    research   training.cancelled  order-…   {project}
    compute    version.made        version-… {order, release, mlflow_run}
    compute    training.failed     order-…   {asked: the number of the last request, why, remedy}

An order is the same order however often, and by whichever project, it is requested: it is trained while at least one
project still wants it. A request after a failure starts another attempt; a version that exists is not trained again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from credit.actor import Actor
from credit.ledger import Entry


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """One project's request for an order.

    ``seq`` is the number of its entry in the research ledger; ``cancelled`` is the time at which the project cancelled
    it, or None.
    """

    order: str
    project: str
    by: Actor
    at: datetime
    seq: int
    model: str
    cancelled: datetime | None = None


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """How the training of an order ended: with a version, or with a reason why there is none."""

    at: datetime
    version: str = ""
    why: str = ""
    remedy: str = ""
    last_request: int = 0  # a failure answers the requests up to this entry number


class TrainingRequests:
    """The requests and results of two ledgers, fed by :class:`credit.ledger_follower.Follower`."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str], TrainingRequest] = {}
        self._made: dict[str, TrainingResult] = {}
        self._failed: dict[str, TrainingResult] = {}

    def apply_research(self, entry: Entry) -> None:
        """Apply an entry of the research ledger."""
        data = entry.details
        key = (entry.object, str(data.get("project", "")))
        if entry.verb == "training.asked":
            self._requests.pop(key, None)  # a repeated request goes to the end of the queue
            self._requests[key] = TrainingRequest(*key, entry.by, entry.at, entry.seq, str(data.get("model", "")))
        elif entry.verb == "training.cancelled" and key in self._requests:
            self._requests[key] = replace(self._requests[key], cancelled=entry.at)

    def apply_compute(self, entry: Entry) -> None:
        """Apply an entry of the compute ledger."""
        data = entry.details
        if entry.verb == "version.made":
            self._made[str(data["order"])] = TrainingResult(entry.at, version=entry.object)
        elif entry.verb == "training.failed":
            why, remedy, last = str(data.get("why", "")), str(data.get("remedy", "")), int(data.get("asked", 0))
            self._failed[entry.object] = TrainingResult(entry.at, why=why, remedy=remedy, last_request=last)

    def of(self, project: str) -> list[TrainingRequest]:
        """The requests of a project, the oldest first."""
        return [request for request in list(self._requests.values()) if request.project == project]

    def get(self, order: str, project: str) -> TrainingRequest | None:
        """A project's request for an order; None when the project never requested it."""
        return self._requests.get((order, project))

    def result(self, request: TrainingRequest) -> TrainingResult | None:
        """The result of a request: a version, or a failure after this request; None while it waits or runs."""
        if request.order in self._made:
            return self._made[request.order]
        failed = self._failed.get(request.order)
        return failed if failed and failed.last_request >= request.seq else None

    def waiting(self) -> list[TrainingRequest]:
        """The requests that are neither cancelled nor ended, in the order in which they were made."""
        requests = list(self._requests.values())
        return [request for request in requests if request.cancelled is None and self.result(request) is None]
