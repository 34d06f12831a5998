"""Requests for what compute makes of an order (申请): trainings, rows, tables and measurements of projects.

::

    research   training.asked      order-…   {project, …}                     by the researcher
    research   training.cancelled  order-…   {project}
    compute    version.made        version-… {order, …}
    compute    training.failed     order-…   {asked: the number of the last request, what, why, remedy, messages}

and the same with ``rows``, ``table`` and ``measurement``. An order is the same order however often, and by whichever
project, it is requested: it is made while at least one project still wants it. A request after a failure starts another
attempt; what exists is not made again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from credit.actor import Actor
from credit.ledger import Entry


@dataclass(frozen=True, slots=True)
class RequestVerbs:
    """The verbs of the entries of one kind of requests."""

    requested: str
    cancelled: str
    made: str
    failed: str


TRAINING = RequestVerbs("training.asked", "training.cancelled", "version.made", "training.failed")
ROWS = RequestVerbs("rows.asked", "rows.cancelled", "rows.made", "rows.failed")
TABLE = RequestVerbs("table.asked", "table.cancelled", "table.made", "table.failed")
MEASUREMENT = RequestVerbs("measurement.asked", "measurement.cancelled", "measurement.made", "measurement.failed")
ALL = (TRAINING, ROWS, TABLE, MEASUREMENT)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One project's request for an order.

    ``seq`` is the number of its entry in the research ledger; ``cancelled`` is the time at which the project cancelled
    it, or None. ``model`` is that of a training.
    """

    order: str
    project: str
    by: Actor
    at: datetime
    seq: int
    model: str = ""
    cancelled: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderResult:
    """How the work on an order ended: with the seal that was made, or with a reason why there is none."""

    at: datetime
    made: str = ""
    what: str = ""
    why: str = ""
    remedy: str = ""
    messages: Mapping[str, Any] = field(default_factory=dict)  # what, why and remedy by id, for a reader's language
    last_request: int = 0  # a failure answers the requests up to this entry number
    champion: Mapping[str, Any] = field(default_factory=dict)  # how the champion of that day did on the same rows
    measured: Mapping[str, Any] = field(default_factory=dict)  # what a measurement found


class OrderRequests:
    """The requests and results of one kind in two ledgers, fed by :class:`credit.ledger.follower.Follower`."""

    def __init__(self, verbs: RequestVerbs) -> None:
        self.verbs = verbs
        self._requests: dict[tuple[str, str], OrderRequest] = {}
        self._made: dict[str, OrderResult] = {}
        self._failed: dict[str, OrderResult] = {}

    def apply_research(self, entry: Entry) -> None:
        """Apply an entry of the research ledger."""
        data = entry.details
        key = (entry.object, str(data.get("project", "")))
        if entry.verb == self.verbs.requested:
            self._requests.pop(key, None)  # a repeated request goes to the end of the queue
            self._requests[key] = OrderRequest(*key, entry.by, entry.at, entry.seq, str(data.get("model", "")))
        elif entry.verb == self.verbs.cancelled and key in self._requests:
            self._requests[key] = replace(self._requests[key], cancelled=entry.at)

    def apply_compute(self, entry: Entry) -> None:
        """Apply an entry of the compute ledger."""
        data = entry.details
        if entry.verb == self.verbs.made and data.get("order"):
            self._made[str(data["order"])] = OrderResult(
                entry.at, made=entry.object, champion=_mapping(data, "champion"), measured=_mapping(data, "measured")
            )
        elif entry.verb == self.verbs.failed:
            what, why, remedy = (str(data.get(key, "")) for key in ("what", "why", "remedy"))
            self._failed[entry.object] = OrderResult(
                entry.at, "", what, why, remedy, dict(data.get("messages", {})), int(data.get("asked", 0))
            )

    def of(self, project: str) -> list[OrderRequest]:
        """The requests of a project, the oldest first."""
        return [request for request in list(self._requests.values()) if request.project == project]

    def get(self, order: str, project: str) -> OrderRequest | None:
        """A project's request for an order; None when the project never requested it."""
        return self._requests.get((order, project))

    def result(self, request: OrderRequest) -> OrderResult | None:
        """The result of a request: what was made, or a failure after this request; None while it waits or runs."""
        if request.order in self._made:
            return self._made[request.order]
        failed = self._failed.get(request.order)
        return failed if failed and failed.last_request >= request.seq else None

    def waiting(self) -> list[OrderRequest]:
        """The requests that are neither cancelled nor ended, in the order in which they were made."""
        requests = list(self._requests.values())
        return [request for request in requests if request.cancelled is None and self.result(request) is None]

    def is_wanted(self, order: str) -> bool:
        """True when at least one project requested an order and did not cancel that."""
        return any(each.order == order and each.cancelled is None for each in list(self._requests.values()))

    def is_new(self, order: str, project: str) -> bool:
        """True when a request has to be entered: it is new, was cancelled, or its last attempt failed."""
        earlier = self.get(order, project)
        if earlier is None or earlier.cancelled is not None:
            return True
        ended = self.result(earlier)
        return ended is not None and not ended.made


def _mapping(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    return dict(data.get(name, {}))
