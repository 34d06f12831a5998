"""What the desk asks of people (审查纪律): a vote stands, texts name nobody, nothing new is let through."""

from __future__ import annotations

from credit.actor import Actor
from credit.errors import Malformed, Refused
from credit.gate import Finding, Outcome, Verdict
from lab.airlock.files import text as texts
from lab.airlock.review import blind_voting
from lab.airlock.review.petition import Petition
from lab.airlock.thresholds import load


def require_no_vote(petition: Petition, by: Actor) -> None:
    """Raise :class:`Refused` for one who has voted."""
    if petition.has_voted(by.name):
        raise Refused("review-rules.voted-on-parcel", by=by)


def require_nothing_new(petition: Petition, verdict: Verdict) -> None:
    """Raise :class:`Refused` when the gate finds now what the reviewers did not see: rules may have changed since."""
    seen = {(f.check, f.evidence.get("file"), f.outcome) for f in petition.verdict.findings}
    fresh = [
        finding
        for finding in verdict.findings
        if finding.outcome is not Outcome.PASS
        and (finding.check, finding.evidence.get("file"), finding.outcome) not in seen
    ]
    if fresh:
        raise Refused(
            "review-rules.parcel-may-not-leave-any",
            why="; ".join(finding.why for finding in fresh[:5]),
            findings=fresh,
        )


def failed_findings(verdict: Verdict) -> list[Finding]:
    """The findings that keep a parcel in."""
    return [finding for finding in verdict.findings if finding.outcome is Outcome.FAIL]


def refusal(verdict: Verdict) -> Refused:
    """Why a parcel may not leave as it is, and what to do about it."""
    failures = failed_findings(verdict)
    fixes = sorted({f"{finding.evidence['file']}: {finding.evidence['fix']}" for finding in failures})
    return Refused(
        "review-rules.parcel-may-not-leave-as",
        why="; ".join(finding.why for finding in failures[:5]),
        remedy=". ".join([*fixes[:5], "Nothing was taken from you: mend the files and submit again"]),
        findings=failures,
    )


def checked_text(text: str, name: str) -> str:
    """A text that people write to each other: the ledger keeps it, so it names nobody. Raises :class:`Malformed`."""
    if not text.strip() or len(text) > blind_voting.LONGEST:
        raise Malformed("review-rules.missing-or-too-long", name=name, longest=blind_voting.LONGEST)
    t = load()
    issues = [
        *texts.subject_identifiers(text, t),
        *texts.long_digit_runs(text, t),
        *texts.deceptive_characters(text, t),
    ]
    if issues:
        raise Malformed("review-rules.cannot-be-kept", why=issues[0].why, remedy=issues[0].fix, name=name)
    return text.strip()
