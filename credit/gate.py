"""Gate (关口): plain functions that each return a finding, and together a verdict (制审分离: maker is not checker)."""

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
    """The outcome of a check; a person must decide on REVIEW."""

    PASS = "pass"
    REVIEW = "review"
    FAIL = "fail"


_WORST = (Outcome.PASS, Outcome.REVIEW, Outcome.FAIL)
_OUTCOMES = {
    Outcome.PASS: Text.of("gate.outcome-pass"),
    Outcome.REVIEW: Text.of("gate.outcome-review"),
    Outcome.FAIL: Text.of("gate.outcome-fail"),
}
_NAMES = {  # the display names of the gates; any other gate has its own name
    "mandate": Text.of("gate.name-mandate"),
    "promotion": Text.of("gate.name-promotion"),
    "release": Text.of("gate.name-release"),
    "airlock": Text.of("gate.name-airlock"),
    "rows": Text.of("gate.name-rows"),
    "table": Text.of("gate.name-table"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check, the reason, and the evidence (numbers and names, never a subject's data)."""

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
        """The finding as JSON values, with the reason in ``language``."""
        return {
            "check": self.check,
            "outcome": self.outcome,
            "why": self.reason(language),
            "evidence": dict(self.evidence),
        }

    def as_reason(self) -> Text:
        """The reason as a message; one that was stored without a message is the same in every language."""
        return self.message or Text.verbatim(self.why)

    def stored(self) -> dict[str, Any]:
        """The finding as a ledger stores it: its reason in English and, where there is one, as a message by id."""
        return self.as_json() | ({"message": self.message.as_json()} if self.message is not None else {})

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Finding:
        """The finding that :meth:`stored` wrote, now or before there were messages by id."""
        message = Text.from_json(data.get("message"))
        return cls(data["check"], Outcome(data["outcome"]), data["why"], data["evidence"], message)

    def as_text(self) -> Text:
        """The finding as a message: the check, the outcome and the reason."""
        outcome = _OUTCOMES[self.outcome]
        return Text.of("gate.finding", check=self.check, outcome=outcome, reason=self.as_reason())

    def __str__(self) -> str:
        return f"{self.check}: {self.outcome} ({self.why})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings of a gate, with the thresholds that were applied."""

    gate: str
    findings: tuple[Finding, ...]
    thresholds: Mapping[str, Any]

    @property
    def outcome(self) -> Outcome:
        """The worst of the outcomes; FAIL when there are no findings."""
        return max((f.outcome for f in self.findings), key=_WORST.index, default=Outcome.FAIL)

    @property
    def passed(self) -> bool:
        """True when every check passed; REVIEW is not a pass."""
        return self.outcome is Outcome.PASS

    def require(self) -> None:
        """Raise :class:`Refused` with the findings that did not pass."""
        if not self.passed:
            open_findings = [finding for finding in self.findings if finding.outcome is not Outcome.PASS]
            texts = [finding.as_text() for finding in open_findings]
            why = Text.several(texts) if texts else Text.of("gate.no-checks")
            raise Refused("gate.did-not-open", why=why, findings=open_findings, gate=gate_name(self.gate))

    def as_json(self) -> dict[str, Any]:
        """The verdict, with its findings and thresholds, as JSON values."""
        findings = [finding.stored() for finding in self.findings]
        return {"gate": self.gate, "outcome": self.outcome, "findings": findings, "thresholds": dict(self.thresholds)}


@dataclass(frozen=True, slots=True)
class Gate(Generic[Case]):
    """A tuple of checks ``(case, thresholds) -> Finding``, and the thresholds, which are data."""

    name: str
    checks: tuple[Callable[[Case, Mapping[str, Any]], Finding], ...]
    thresholds: Mapping[str, Any]

    def judge(self, case: Case, *, requested_by: Actor, reviewer: Actor) -> Verdict:
        """Run every check; raises :class:`Refused` when the reviewer is the person who made the request."""
        require_another(requested_by, reviewer, gate=self.name)
        return Verdict(self.name, tuple(check(case, self.thresholds) for check in self.checks), self.thresholds)


def require_another(requested_by: Actor, reviewer: Actor, *, gate: str) -> None:
    """Raise :class:`Refused` when both are the same name, in whatever role (制审分离, maker is not checker)."""
    if requested_by.name == reviewer.name:
        raise Refused("gate.own-request", judged_by=reviewer, gate=gate_name(gate))


def gate_name(gate: str) -> Text:
    """The display name of a gate as a message."""
    return _NAMES.get(gate, Text.verbatim(gate))
