"""Rules of review (审查纪律): one vote per reviewer, no identifiers in texts, no new findings at collection."""

from __future__ import annotations

from datetime import UTC, date, datetime

from credit.actor import Actor, Role
from credit.errors import Malformed, Refused
from credit.gate import Finding, Outcome, Verdict
from credit.messages import Text
from credit.separation.account_history import AccountHistory, has_role_throughout, roles_now
from credit.separation.span import Span
from lab.airlock.files import text as texts
from lab.airlock.issue import FIX_MESSAGE, fix_of
from lab.airlock.parcel_context import ParcelContext
from lab.airlock.review import blind_voting
from lab.airlock.review.origins import ParcelOrigins
from lab.airlock.review.petition import Petition
from lab.airlock.review.states import State, require_transition
from lab.airlock.thresholds import load
from lab.projects import Project


def require_no_vote(petition: Petition, by: Actor) -> None:
    """Raise :class:`Refused` when ``by`` has already voted."""
    if petition.has_voted(by.name):
        raise Refused("review-rules.voted-on-parcel", by=by)


def require_outside(objection: Text | None, by: Actor, act: str) -> None:
    """Raise :class:`Refused` for a person who had a part in the parcel: who reviews it comes from outside."""
    if objection is not None:
        raise Refused("review-rules.not-from-outside", why=objection, by=by, act=Text(act))


def require_author(accounts: AccountHistory, by: Actor, *, since: datetime | None = None) -> None:
    """Raise :class:`Refused` unless the author has been a researcher at every moment since then, as they are now."""
    now = datetime.now(UTC)
    if not has_role_throughout(accounts, by.name, Role.RESEARCHER, Span(since or now)):
        raise Refused("review-rules.author-no-researcher", by=by)


def require_recipients(accounts: AccountHistory, context: ParcelContext) -> None:
    """Raise :class:`Malformed` for recipients who have no account: only who signs in here can download."""
    unknown = [name for name in context.recipients if not roles_now(accounts, name)]
    if unknown:
        raise Malformed("review-rules.recipients-unknown", names=", ".join(unknown))


def require_approved(petition: Petition) -> None:
    """Raise :class:`Refused` before both reviewers approved: the review shows its author nothing of a file."""
    if petition.state not in (State.APPROVED, State.RECEIVED):
        raise Refused("review-rules.not-before-approval")


def require_collectable(
    petition: Petition, project: Project, accounts: AccountHistory, *, by: Actor, today: date
) -> None:
    """Raise :class:`Refused` unless two votes stand, and the author's membership and account never ended.

    Raises :class:`~credit.errors.Lapsed` when the project is over.
    """
    require_transition(petition.state, State.RECEIVED, by=by, author=petition.author.name)
    project.require(by.name, today)
    require_author(accounts, by, since=petition.submitted_at)


def require_same_origins(petition: Petition, origins: ParcelOrigins) -> None:
    """Raise :class:`Refused` when the versions in a parcel have other origins than those that its entry names."""
    if petition.origins != origins:
        raise Refused("review-rules.other-origins")


def require_nothing_new(petition: Petition, verdict: Verdict) -> None:
    """Raise :class:`Refused` for findings that the reviewers did not see, as after a change of the rules."""
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
            why=Text.several(finding.as_reason() for finding in fresh[:5]),
            findings=fresh,
        )


def failed_findings(verdict: Verdict) -> list[Finding]:
    """The findings with outcome FAIL, which keep a parcel inside."""
    return [finding for finding in verdict.findings if finding.outcome is Outcome.FAIL]


def refusal(verdict: Verdict) -> Refused:
    """The error for a parcel that may not leave: its failed findings, and what to do about them."""
    failures = failed_findings(verdict)
    fixes = {f"{finding.evidence['file']}: {fix_of(finding)}": finding for finding in failures}
    return Refused(
        "review-rules.parcel-may-not-leave-as",
        why=Text.several(finding.as_reason() for finding in failures[:5]),
        fixes=[_fix(fixes[text]) for text in sorted(fixes)[:5]],
        findings=failures,
    )


def _fix(finding: Finding) -> Text:
    message = finding.evidence.get(FIX_MESSAGE)
    fix = Text.from_json(message) or Text.verbatim(str(finding.evidence["fix"]))
    return Text.of("airlock.in-file", file=finding.evidence["file"], why=fix)


def reason_of(petition: Petition, approve: bool, reason: str) -> str:
    """The reason of a vote as it is recorded; empty only for an approval without a finding that needs review.

    Raises :class:`Malformed` as :func:`checked_text`.
    """
    needed = not approve or petition.verdict.outcome is not Outcome.PASS
    return checked_text(reason, "reason") if needed or reason.strip() else ""


def checked_text(text: str, name: str) -> str:
    """A text between author and reviewers, stripped of outer white space.

    The ledger stores it, so it must not contain identifiers. Raises :class:`Malformed` for an empty or too long text,
    and for one with identifiers.
    """
    if not text.strip() or len(text) > blind_voting.LONGEST_REASON:
        raise Malformed("review-rules.missing-or-too-long", name=name, longest=blind_voting.LONGEST_REASON)
    t = load()
    issues = [
        *texts.subject_identifiers(text, t),
        *texts.long_digit_runs(text, t),
        *texts.deceptive_characters(text, t),
    ]
    if issues:
        raise Malformed("review-rules.cannot-be-kept", why=issues[0].why, remedy=issues[0].fix, name=name)
    return text.strip()
