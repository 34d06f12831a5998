"""Gate (关口): plain functions that each give a finding, and together a verdict. Nobody judges their own request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from credit.actor import Actor
from credit.errors import Refused
from credit.messages import Text

Case = TypeVar("Case")


class Outcome(StrEnum):
    """What a check found; a person must look at REVIEW."""

    PASS = "pass"
    REVIEW = "review"
    FAIL = "fail"


_WORST = (Outcome.PASS, Outcome.REVIEW, Outcome.FAIL)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, why, and the evidence (numbers and names, never a subject's data)."""

    check: str
    outcome: Outcome
    why: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    message: Text | None = None  # the reason by id, where it exists in every language; `why` is its English text

    @classmethod
    def of(cls, check: str, outcome: Outcome, message: Text, evidence: Mapping[str, Any] | None = None) -> Finding:
        """A finding whose reason is a message by id."""
        return cls(check, outcome, message.render("en"), evidence or {}, message)

    def reason(self, language: str = "en") -> str:
        """Why, in ``en`` or ``zh``; a finding that was stored without a message has its English text in both."""
        return self.message.render(language) if self.message is not None else self.why

    def as_json(self, language: str = "en") -> dict[str, Any]:
        """The finding as plain values, its reason in a language."""
        return {
            "check": self.check,
            "outcome": self.outcome,
            "why": self.reason(language),
            "evidence": dict(self.evidence),
        }

    def __str__(self) -> str:
        return f"{self.check}: {self.outcome} ({self.why})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate found in all, with the thresholds it judged by."""

    gate: str
    findings: tuple[Finding, ...]
    thresholds: Mapping[str, Any]

    @property
    def outcome(self) -> Outcome:
        """The worst of the findings; a gate without findings has passed nothing and fails."""
        return max((f.outcome for f in self.findings), key=_WORST.index, default=Outcome.FAIL)

    @property
    def passed(self) -> bool:
        """True when every check passed; REVIEW does not pass by itself."""
        return self.outcome is Outcome.PASS

    def require(self) -> None:
        """Raise :class:`Refused` with the findings that did not pass."""
        if not self.passed:
            stopped = [finding for finding in self.findings if finding.outcome is not Outcome.PASS]
            raise Refused(
                "gate.gate-did-not-open",
                why="; ".join(map(str, stopped)) or "it has no checks",
                findings=stopped,
                gate=self.gate,
            )

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain values, thresholds and all."""
        found = [finding.as_json() for finding in self.findings]
        return {"gate": self.gate, "outcome": self.outcome, "findings": found, "thresholds": dict(self.thresholds)}


@dataclass(frozen=True, slots=True)
class Gate(Generic[Case]):
    """A tuple of checks ``(case, thresholds) -> Finding`` and the thresholds they judge by, which are data."""

    name: str
    checks: tuple[Callable[[Case, Mapping[str, Any]], Finding], ...]
    thresholds: Mapping[str, Any]

    def judge(self, case: Case, *, asked_by: Actor, judged_by: Actor) -> Verdict:
        """Run every check; raises :class:`Refused` when one judges what they themselves asked for."""
        require_another(asked_by, judged_by, gate=self.name)
        return Verdict(self.name, tuple(check(case, self.thresholds) for check in self.checks), self.thresholds)


def require_another(asked_by: Actor, judged_by: Actor, *, gate: str) -> None:
    """Maker is not checker (制审分离): the same name is refused, in whatever role."""
    if asked_by.name == judged_by.name:
        raise Refused("gate.may-not-judge-at-gate", judged_by=judged_by, gate=gate)
