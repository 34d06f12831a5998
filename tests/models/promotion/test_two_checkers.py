"""A version of individual businesses takes two people, of whom each counts at the moment of the second approval."""

from __future__ import annotations

import pytest

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.gate import Finding, Outcome, Verdict
from credit.keys import SigningKey
from credit.messages import Text
from credit.separation.two_checkers import APPROVED, Approval, approval_basis, checkers_needed, counted
from credit.separation.version_judges import approvals_now, require_judge
from credit.shelf import Shelf
from tests.models.promotion.judge_orders import WrittenEvents, version_of_an_order

pytestmark = pytest.mark.attack
BO, CY = Actor("bo", Role.PLATFORM), Actor("cy", Role.PLATFORM)


@pytest.fixture
def written(shelf: Shelf, keys: dict[str, SigningKey]) -> WrittenEvents:
    """A version whose promotion is requested, approved by bo."""
    written = WrittenEvents(version_of_an_order(shelf, keys), shelf).begin()
    approve(written, BO)
    return written


def approve(written: WrittenEvents, by: Actor, champion: str = "", basis: str = "same") -> None:
    details = {"champion": champion, "basis": basis}
    written._write(written.platform, APPROVED, written.version.seal.id, by, details)


def approvals(written: WrittenEvents) -> tuple[Approval, ...]:
    zone = {"entries": written.platform, "people": written.people, "shelf": written.shelf}
    return approvals_now(written.version, **zone)  # type: ignore[arg-type]


def require(written: WrittenEvents, by: Actor, *, approves: bool = True) -> None:
    zone = {"entries": written.platform, "people": written.people, "shelf": written.shelf}
    require_judge(written.version, by=by, approves=approves, **zone)  # type: ignore[arg-type]


def names(written: WrittenEvents, basis: str | None = None) -> list[str]:
    return [each.by.name for each in counted(approvals(written), basis)]


@pytest.mark.parametrize(
    ("kind", "needed"), [("enterprise", 1), ("individual_business", 2), (None, 2), ("", 2), ("Enterprise", 2)]
)
def test_all_kinds_but_enterprises_take_two(
    shelf: Shelf, keys: dict[str, SigningKey], kind: str | None, needed: int
) -> None:
    """A version that names no kind may score individual businesses."""
    seal = version_of_an_order(shelf, keys).seal
    terms = {**seal.terms, "subject_kind": kind}
    assert checkers_needed(seal) == 2
    assert checkers_needed(type("SealOfTerms", (), {"terms": terms})()) == needed


def test_the_same_person_does_not_approve_twice_and_may_still_refuse(written: WrittenEvents) -> None:
    """Nor does the maker, under any role."""
    with pytest.raises(Refused, match="requested or confirmed it themselves"):
        require(written, BO)
    with pytest.raises(Refused):
        require(written, Actor("bo", Role.RESEARCHER))
    with pytest.raises(Refused):
        require(written, Actor("alice", Role.PLATFORM))
    require(written, BO, approves=False)
    require(written, CY)
    assert names(written) == ["bo"]


@pytest.mark.parametrize(
    "event", ["remove bo", "researcher bo", "reviewer bo", "city bo", "join bo", "place bo", "request bo"]
)
def test_an_approval_falls_with_the_role_or_the_part_of_the_person_who_gave_it(
    written: WrittenEvents, event: str
) -> None:
    """It does not come back with the role, and the page says why it counts no more."""
    written.apply(event)
    assert names(written) == []
    written.apply("platform bo")
    assert names(written) == []
    if not event.startswith("request"):  # another request begins without approvals
        (fallen,) = approvals(written)
        assert fallen.objection is not None
        assert fallen.objection.render("en") != fallen.objection.render("zh")


def test_approvals_end_with_what_they_were_given_for(written: WrittenEvents, keys: dict[str, SigningKey]) -> None:
    """Another champion, another outcome or threshold, a refusal, and a new request leave none of them."""
    assert names(written, "same") == ["bo"]
    assert names(written, "another") == []
    pointer = {"model": "enterprise", "version": "version-" + "1" * 64}
    written.shelf.set_pointer("champion-enterprise", pointer, keys["platform"])
    assert names(written) == []
    require(written, BO)  # who approved against an earlier champion may look again
    approve(written, BO, champion=pointer["version"])
    assert names(written) == ["bo"]
    for verb in ("promotion.refused", "promotion.asked"):
        written._write(written.platform, verb, written.version.seal.id, CY, {})
        assert names(written) == []


def test_the_basis_is_all_that_a_person_approves() -> None:
    """The outcome of each check, the thresholds and the champion; not the figures, which a page rounds."""

    def verdict(outcome: Outcome, least: float) -> Verdict:
        finding = Finding.of("parity", outcome, Text.verbatim("a group is off"))
        return Verdict("promotion", (finding,), {"auc_low_at_least": least})

    bases = {
        approval_basis(verdict(outcome, least), champion)
        for outcome in (Outcome.PASS, Outcome.REVIEW)
        for least in (0.6, 0.7)
        for champion in ("", "version-1")
    }
    assert len(bases) == 8
    assert approval_basis(verdict(Outcome.PASS, 0.6), "") in bases


def test_another_verdict_of_the_gate_ends_the_approvals_before(written: WrittenEvents) -> None:
    """Their people may look again, and the approval that is newer waits for them."""
    approve(written, CY, basis="stricter")
    assert names(written) == ["cy"]
    require(written, BO)
    with pytest.raises(Refused):
        require(written, CY)


def test_an_approval_of_one_version_is_none_of_another(written: WrittenEvents) -> None:
    """Whatever entries a reader is given: the id of a version is the digest of what it is."""
    written.platform[-1] = written.platform[-1]._replace(object="version-" + "2" * 64)
    assert names(written) == []
