"""The compute zone's worker: it reads training requests from the research ledger, trains, and records the results.

``python -m models.worker`` starts it with ``HAIHE_COMPUTE_…``. It accepts no connection: an order is data on the shelf,
and a request is an entry in a ledger that it can only read. It trains one order at a time, on one cluster that stays
open. When it is killed at any moment and started again, it takes the same order and makes the same version.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import traceback
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from credit.errors import Broken, CreditError, Malformed
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.ledger.follower import Follower
from credit.messages import Text
from credit.order_requests import TRAINING, OrderRequest, OrderRequests
from credit.requests.failure import messages_of
from credit.shelf import Shelf
from credit.single_process import exclusive_lock
from models.dataset.order_sets import given_units
from models.distributed.ray_cluster import Tasks, cluster
from models.distributed.shared_cluster import SharedCluster
from models.registry.mlflow_registry import Tracking
from models.settings import ComputeSettings
from models.training.pipeline import answered_orders, train
from models.worker.progress import TrainingProgress

PREFIX = "HAIHE_COMPUTE_"
_LOGGER = logging.getLogger("haihe.worker")


class TrainingStopped(Exception):
    """Raised within a training's steps: the request was withdrawn, or the worker has to end."""


@dataclass(slots=True)
class Worker:
    """The worker's settings, keys and ledgers; made by :meth:`open`."""

    settings: ComputeSettings
    runs: Path
    shelf: Shelf
    key: SigningKey
    ledger: Ledger
    tracking: Tracking
    trainings: OrderRequests = field(default_factory=lambda: OrderRequests(TRAINING))
    end: threading.Event = field(default_factory=threading.Event)
    _follow: list[Follower] = field(default_factory=list)

    @classmethod
    def open(cls, settings: ComputeSettings) -> Worker:
        """Load key and ring; raises :class:`Malformed` when the settings lack what training needs."""
        if settings.research_ledger is None or settings.runs is None:
            missing = "RESEARCH_LEDGER" if settings.research_ledger is None else "RUNS"
            raise Malformed("worker-loop.setting-missing", prefix=PREFIX, missing=missing)
        ring, key = KeyRing.load(settings.ring), SigningKey.load(settings.keys, "compute")
        ledger = Ledger(settings.ledger, key, ring, "compute")
        given_units(settings, ledger)
        shelf, tracking = Shelf(settings.shelf, ring), Tracking(settings.mlflow_uri)
        worker = cls(settings, settings.runs, shelf, key, ledger, tracking)
        research = Ledger(settings.research_ledger, None, ring, "research")
        worker._follow = [
            Follower(research, (worker.trainings.apply_research,)),
            Follower(ledger, (worker.trainings.apply_compute,)),
        ]
        return worker

    def waiting(self) -> list[OrderRequest]:
        """The training requests that have not ended."""
        for follower in self._follow:
            follower.catch_up()
        return self.trainings.waiting()

    def serve(self, tasks: Tasks) -> None:
        """Train the requests one after another until the worker has to end. Raises :class:`Broken` when the cluster
        fails."""
        while not self.end.is_set():
            waiting = self.waiting()
            if waiting and self.is_ready():
                self.train_request(waiting[0], tasks)
            else:
                self.end.wait(self.settings.poll)

    def train_request(self, request: OrderRequest, tasks: Tasks) -> None:
        """Train one order. Its result is a ledger entry and in its progress file; an interrupted one is left for the
        next start."""
        run = TrainingProgress(
            self.runs, request.order, max(each.seq for each in self.waiting() if each.order == request.order)
        )
        log_event("taken", order=request.order, by=str(request.by))

        def step(label: str, done: int, total: int) -> None:
            if self.end.is_set() or not any(each.order == request.order for each in self.waiting()):
                raise TrainingStopped
            run.step(label, done, total)

        try:
            step("start", 0, 0)
            seal = train(
                self.shelf.open(request.order),
                shelf=self.shelf,
                key=self.key,
                by=request.by,
                ledger=self.ledger,
                tracking=self.tracking,
                tasks=tasks,
                today=self.settings.day(),
                progress=step,
                limits=self.settings.limits,
                answered=answered_orders(self.settings, self.ledger),
                project=request.project,
            )
        except TrainingStopped:
            if not self.end.is_set():
                run.cancelled()
            log_event("stopped", order=request.order)
        except CreditError as error:
            self._fail(run, error)
            if isinstance(error, Broken):
                raise  # the cluster may have failed: start a new one
        except Exception:
            _LOGGER.error("%s", traceback.format_exc())
            why, remedy = Text.of("worker-loop.fault"), Text.of("worker-loop.inform")
            self._fail(run, CreditError("worker-loop.training-failed", why=why, remedy=remedy))
        else:
            run.made(seal.id)
            log_event("made", order=request.order, version=seal.id)

    def _fail(self, run: TrainingProgress, error: CreditError) -> None:
        details = {"asked": run.request_seq, "kind": error.slug, "why": str(error), "remedy": error.remedy}
        details["messages"] = messages_of(error)
        request = next((each for each in self.trainings.waiting() if each.order == run.order), None)
        if request is None:  # withdrawn at this moment
            run.cancelled()
            return
        self.ledger.append(TRAINING.failed, run.order, by=request.by, details=details)
        run.failed(error)
        log_event("failed", order=run.order, why=str(error))

    def is_ready(self) -> bool:
        """True when runs can be logged: while MLflow does not answer, orders wait and do not fail."""
        try:
            self.tracking.require()
        except CreditError as error:
            log_event("waiting", why=str(error))
            self.end.wait(2)
            return False
        return True


def serve_with_shared_cluster(worker: Worker, shared: SharedCluster) -> None:
    """Train the notebooks' orders until the worker has to end, on a cluster that the agent of compute uses as well."""
    with single_worker_lock(worker.runs):
        while not worker.end.is_set():
            try:
                waiting = worker.waiting()
                if waiting and worker.is_ready():
                    with shared.tasks() as tasks:
                        worker.train_request(waiting[0], tasks)
            except Broken as error:
                log_event("broken", why=str(error))
                worker.end.wait(2)
            worker.end.wait(worker.settings.poll)


def single_worker_lock(runs: Path) -> AbstractContextManager[None]:
    """Lock the runs folder for one worker; raises :class:`Malformed` when another worker has the lock."""
    return exclusive_lock(runs / ".worker", Malformed("worker-loop.another-worker-at-work-on"))


def serve(worker: Worker) -> None:
    """Train until SIGTERM or SIGINT, with a new cluster when one fails."""
    with single_worker_lock(worker.runs):
        while not worker.end.is_set():
            with cluster(worker.settings.ray_address, token=worker.settings.ray_token) as tasks:
                for number in (signal.SIGTERM, signal.SIGINT):  # after Ray, which sets its own handlers
                    signal.signal(number, lambda *_: worker.end.set())
                log_event("started", pid=os.getpid())
                try:
                    worker.serve(tasks)
                except Broken as error:
                    log_event("broken", why=str(error))
                    worker.end.wait(2)
    log_event("ended", pid=os.getpid())


def log_event(event: str, **values: str | int) -> None:
    """Write one JSON line to standard error: ids and reasons, never a row."""
    _LOGGER.info("%s", json.dumps({"event": event, **values}, ensure_ascii=False))
