"""The agent of a zone: one process that reads the requests for its zone and carries them out with its own key alone.

One loop: read what is new in the ledgers, begin what may begin, wait. A step that was interrupted (a kill, a power cut)
is begun again at the next start; its handler promises that this leaves the same. Several requests run side by side when
they touch nothing in common.
"""

from __future__ import annotations

import json
import logging
import threading
import traceback
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from credit.errors import Broken, CreditError, Lapsed, Malformed
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.ledger.fold_checkpoint import FoldCheckpoint
from credit.requests.failure import failure_of
from credit.requests.flows import FLOWS
from credit.requests.private_arguments import read_private_arguments
from credit.requests.progress import (
    StepProgress,
    read_private_result,
    remove_broken,
    remove_old_results,
    write_broken,
    write_private_result,
)
from credit.requests.request import STEP_DONE, STEP_FAILED, Stage
from credit.requests.request_states import RequestState
from credit.requests.settings import AgentSettings
from credit.requests.state_reader import StateReader, ledger_path
from credit.requests.task import Handler, StepResult, Task
from credit.requests.witnessing import witness_duty
from credit.single_process import exclusive_lock

CHECKPOINT = ".states"  # the file of the states of requests, in an agent's own folder
_LOGGER = logging.getLogger("haihe.agent")


class StepStopped(Exception):
    """Raised within a step's work: the request was cancelled, or the agent has to end."""


class Duty(Protocol):
    """What an agent also does between requests, such as counter-signing; called at most every ``witness`` seconds."""

    def __call__(self) -> None: ...


class BackgroundWork(Protocol):
    """What an agent does besides its requests, in a thread of its own, until the event is set."""

    def __call__(self, end: threading.Event) -> None: ...


@dataclass(slots=True)
class Agent:
    """An agent; made by :meth:`open`. ``handlers`` are its steps by verb."""

    zone: str
    settings: AgentSettings
    key: SigningKey
    ledger: Ledger
    reader: StateReader
    handlers: Mapping[str, Handler]
    duties: list[Duty] = field(default_factory=list)
    background: list[BackgroundWork] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)
    _running: dict[str, tuple[frozenset[str], Future[None]]] = field(default_factory=dict)
    _due: float = 0.0

    @classmethod
    def open(cls, zone: str, settings: AgentSettings, handlers: Mapping[str, Handler]) -> Agent:
        """Load this zone's key. Raises :class:`Malformed` when a verb of the zone's flows has no handler."""
        ring, key = KeyRing.load(settings.ring), SigningKey.load(settings.keys, zone)
        wanted = {verb for verb, flow in FLOWS.items() if zone in flow.zones}
        if missing := sorted(wanted - set(handlers)):
            raise Malformed("agent.no-handler", zone=zone, verbs=missing)
        checkpoint = FoldCheckpoint(settings.runs / zone / CHECKPOINT, key, ring)
        reader = StateReader.open(zone, settings.ledgers, ring, checkpoint)
        ledger = Ledger(ledger_path(settings.ledgers, zone), key, ring, zone)
        duties: list[Duty] = [witness_duty(ledger, settings.ledgers, ring), reader.store]
        return cls(zone, settings, key, ledger, reader, handlers, duties)

    @property
    def runs(self) -> Path:
        """The folder of this agent's progress."""
        return self.settings.runs / self.zone

    def serve(self) -> None:
        """Carry out requests until :attr:`end` is set. Raises :class:`Malformed` when another agent is at work."""
        refusal = Malformed("agent.another-at-work", zone=self.zone)
        with (
            exclusive_lock(lock_of(self.runs), refusal),
            ThreadPoolExecutor(self.settings.tasks, f"{self.zone}-step") as threads,
        ):
            log_event("started", zone=self.zone)
            workers = [threading.Thread(target=each, args=(self.end,)) for each in self.background]
            for thread in workers:
                thread.start()
            while not self.end.is_set():
                try:
                    self.reader.catch_up()
                    self._begin_steps(threads)
                    self._do_duties()
                except Broken as error:  # a ledger that does not verify: nothing is done until it does
                    log_event("broken", zone=self.zone, why=str(error))
                    for state in self.reader.states.waiting_for(self.zone):
                        write_broken(self.runs, state.request.id, failure_of(error))
                    self.end.wait(2)
                self.end.wait(self.settings.poll)
            for thread in workers:
                thread.join()
        log_event("ended", zone=self.zone)

    def _begin_steps(self, threads: ThreadPoolExecutor) -> None:
        """Begin every step that touches nothing that an earlier request, running or waiting, touches."""
        self._running = {name: each for name, each in self._running.items() if not each[1].done()}
        occupied = {name for touched, _ in self._running.values() for name in touched}
        for state in self.reader.states.waiting_for(self.zone):
            request = state.request
            if request.id in self._running:
                continue
            touched = self.handlers[request.verb].touches(request)
            free = not _overlap(touched, occupied) and len(self._running) < self.settings.tasks
            if free:
                self._running[request.id] = (touched, threads.submit(self._carry_out, state))
            occupied |= touched

    def _carry_out(self, state: RequestState) -> None:
        request, step, turn = state.request, state.step, state.turn
        progress = StepProgress(self.runs, request.id, step)

        def report(label: str, done: int, total: int) -> None:
            if self.end.is_set() or state.stage is Stage.CANCELLED:
                raise StepStopped
            if datetime.now(UTC) > request.deadline:
                raise Lapsed("agent.deadline-passed", verb=request.verb, deadline=f"{request.deadline:%Y-%m-%d %H:%M}")
            progress.write(label, done, total)

        log_event("begun", zone=self.zone, request=request.id, verb=request.verb)
        try:
            report("starting", 0, 0)
            request.by.require_role(*request.flow.roles, act=request.flow.act)
            private = read_private_arguments(self.settings.requests, request)
            task = Task(
                request=request,
                step=step,
                arguments={**request.arguments, **private},
                earlier=tuple(state.results),
                earlier_private=self._earlier_private(state),
                today=request.today or self.settings.day(),
                report=report,
            )
            made = self.handlers[request.verb].carry_out(task)
            self._finish(request.id, step, turn, made, request.by)
        except StepStopped:
            log_event("stopped", zone=self.zone, request=request.id)
        except CreditError as error:
            self._fail(request.id, step, turn, error, request.by)
        except Exception:
            _LOGGER.error("%s", traceback.format_exc())
            fault = CreditError("agent.fault", zone=self.zone, verb=request.verb)
            self._fail(request.id, step, turn, fault, request.by)
        finally:
            self._settle()
            progress.end()

    def _earlier_private(self, state: RequestState) -> dict[str, Any]:
        private: dict[str, Any] = {}
        for zone in dict.fromkeys(state.request.flow.zones[: state.step]):
            private |= read_private_result(self.settings.runs / zone, state.request.id)
        return private

    def _finish(self, request_id: str, step: int, turn: str, made: StepResult, by: Any) -> None:
        if made.private:
            write_private_result(self.runs, request_id, dict(made.private))
        self.ledger.append(
            STEP_DONE, request_id, by=by, details={"step": step, "after": turn, "result": dict(made.result)}
        )
        remove_broken(self.runs)
        log_event("done", zone=self.zone, request=request_id)

    def _fail(self, request_id: str, step: int, turn: str, error: CreditError, by: Any) -> None:
        details = {"step": step, "after": turn, **failure_of(error)}
        try:
            self.ledger.append(STEP_FAILED, request_id, by=by, details=details)
        except Broken as broken:  # our own ledger does not verify: no entry can say that the step failed
            log_event("broken", zone=self.zone, why=str(broken))
            for state in self.reader.states.waiting_for(self.zone):  # those behind it wait for the same ledger
                write_broken(self.runs, state.request.id, failure_of(broken))
            self.end.wait(2)
            return
        remove_broken(self.runs)
        log_event("failed", zone=self.zone, request=request_id, why=str(error))

    def _settle(self) -> None:
        """Read the entry just written, so that the step is not begun a second time."""
        try:
            self.reader.catch_up()
        except Broken as error:
            log_event("broken", zone=self.zone, why=str(error))

    def _do_duties(self) -> None:
        now = datetime.now(UTC).timestamp()
        if now >= self._due:
            self._due = now + self.settings.witness
            remove_old_results(self.runs, now)
            for duty in self.duties:
                try:
                    duty()
                except (CreditError, OSError) as error:  # of one duty, which is tried again; nothing else stops
                    log_event("duty failed", zone=self.zone, why=str(error))


def _overlap(touched: frozenset[str], occupied: set[str]) -> bool:
    return bool(touched and occupied) and ("*" in touched or "*" in occupied or bool(touched & occupied))


def lock_of(runs: Path) -> Path:
    """The lock file of the agent whose progress is in the folder ``runs``."""
    return runs / ".agent"


def log_event(event: str, **values: str | int) -> None:
    """Write one JSON line to standard error: ids and reasons, never a row."""
    _LOGGER.info("%s", json.dumps({"event": event, **values}, ensure_ascii=False))
