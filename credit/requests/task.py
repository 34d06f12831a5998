"""One step as its handler sees it, and what a handler is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from credit.actor import Actor
from credit.requests.request import Request


class ReportStep(Protocol):
    """What a handler calls while it works. Raises when the request was cancelled or the agent has to end."""

    def __call__(self, label: str, done: int, total: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Task:
    """A request at one step: its arguments with the private ones, and the results of the steps before.

    ``earlier_private`` has the private results of the zones before.
    """

    request: Request
    step: int
    arguments: Mapping[str, Any]
    earlier: Sequence[Mapping[str, Any]]
    earlier_private: Mapping[str, Any]
    today: date
    report: ReportStep

    @property
    def by(self) -> Actor:
        """The person who requested it."""
        return self.request.by


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step made: ``result`` goes into the ledger, ``private`` to the person who asked and into no ledger."""

    result: Mapping[str, Any]
    private: Mapping[str, Any] = field(default_factory=dict)


def touches_all(request: Request) -> frozenset[str]:
    """The usual answer: a request touches everything of its zone, so it is carried out alone."""
    return frozenset({"*"})


def touches_nothing(request: Request) -> frozenset[str]:
    """For an act that must not wait, and that any other may run beside."""
    return frozenset()


@dataclass(frozen=True, slots=True)
class Handler:
    """How a zone carries out its step of a verb.

    ``carry_out`` promises: (1) done twice it leaves the same and returns the same; (2) it may be killed at any moment
    and begun again; (3) it writes with its own zone's key alone; (4) it calls ``report`` at least every few seconds of
    work, which raises when it has to stop; (5) what it raises is a :class:`~credit.errors.CreditError` without a
    subject's data. ``touches`` names what it works on: two requests that share a name are carried out one after the
    other, in the order in which they were made. A request that touches nothing waits for no other.
    """

    carry_out: Callable[[Task], StepResult]
    touches: Callable[[Request], frozenset[str]] = touches_all
