"""The rows and tables that notebooks requested: compute reads the requests from the research ledger, and makes them in
turn."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from credit.errors import CreditError
from credit.ledger import Ledger
from credit.ledger.follower import Follower
from credit.order_requests import OrderRequest, OrderRequests, RequestVerbs
from credit.requests.failure import messages_of
from credit.seal import Seal
from credit.shelf import OpenedSeal, Shelf
from models.settings import ComputeSettings
from models.worker.progress import TrainingProgress

_LOGGER = logging.getLogger("haihe.worker")

Progress = Callable[[str, int, int], None]
MakeOfOrder = Callable[[OrderRequest, OpenedSeal, Progress], Seal]


class OrderStopped(Exception):
    """Raised within the steps when the process has to end, or the request was cancelled."""


@dataclass(slots=True)
class OrderWorker:
    """Makes what one kind of orders asks for; ``runs`` is where it writes its progress. Made by :meth:`open`."""

    settings: ComputeSettings
    shelf: Shelf
    ledger: Ledger
    make_of_order: MakeOfOrder
    requests: OrderRequests
    runs: Path
    end: threading.Event
    _follow: list[Follower] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        settings: ComputeSettings,
        verbs: RequestVerbs,
        make_of_order: MakeOfOrder,
        shelf: Shelf,
        ledger: Ledger,
        end: threading.Event,
    ) -> OrderWorker:
        """Follow the research ledger and compute's own, which the settings name."""
        assert settings.research_ledger is not None
        assert settings.runs is not None
        worker = cls(settings, shelf, ledger, make_of_order, OrderRequests(verbs), settings.runs, end)
        research = Ledger(settings.research_ledger, None, shelf.ring, "research")
        worker._follow = [
            Follower(research, (worker.requests.apply_research,)),
            Follower(ledger, (worker.requests.apply_compute,)),
        ]
        return worker

    def serve(self) -> None:
        """Make what is requested for until :attr:`end` is set."""
        while not self.end.is_set():
            try:
                if waiting := self.waiting():
                    self.make(waiting[0])
            except (CreditError, OSError):  # such as a ledger that does not verify or a full disk: both may pass
                self.end.wait(2)
            self.end.wait(self.settings.poll)

    def waiting(self) -> list[OrderRequest]:
        """The requests that have not ended."""
        for follower in self._follow:
            follower.catch_up()
        return self.requests.waiting()

    def make(self, request: OrderRequest) -> None:
        """Make what one request asks for; a failure is an entry in the ledger, and a stop leaves it to the next
        start."""
        run = TrainingProgress(self.runs, request.order, request.seq)

        def step(label: str, done: int, total: int) -> None:
            for follower in self._follow:
                follower.catch_up()
            if self.end.is_set() or not self.requests.is_wanted(request.order):
                raise OrderStopped
            run.step(label, done, total)

        try:
            seal = self.make_of_order(request, self.shelf.open(request.order), step)
        except OrderStopped:
            if not self.end.is_set():
                run.cancelled()
        except CreditError as error:
            self._fail(run, request, error)
        except Exception:
            _LOGGER.error("%s", traceback.format_exc())
            fault = CreditError("agent.fault", zone="compute", verb=self.requests.verbs.made.partition(".")[0])
            self._fail(run, request, fault)
        else:
            run.made(seal.id)

    def _fail(self, run: TrainingProgress, request: OrderRequest, error: CreditError) -> None:
        details = {"asked": request.seq, "what": error.what, "why": error.why, "remedy": error.remedy}
        details["messages"] = messages_of(error)
        self.ledger.append(self.requests.verbs.failed, request.order, by=request.by, details=details)
        run.failed(error)
