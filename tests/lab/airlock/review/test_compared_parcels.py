"""A parcel is compared with those of its author everywhere and of projects of the same people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from credit.errors import Refused
from credit.gate import Finding, Outcome
from lab.airlock.review.earlier_tables import ANOTHER_PROJECTS
from lab.projects import Projects
from tests.lab.airlock.review_zone import AUTHOR, COLLEAGUE, PLATFORM, PROJECT, TODAY, ReviewZone

pytestmark = pytest.mark.attack
OLD = {"secret-name.csv": b"industry,n\nretail,1213\nfood,847\nlogistics,2406\nbuilding,930\n"}
LESS = {"t.csv": b"industry,n\nretail,1213\nfood,846\nlogistics,2406\nbuilding,930\n"}


def open_project(zone: ReviewZone, name: str, *members: str) -> None:
    end = TODAY + timedelta(days=90)
    projects = Projects(zone.airlock.ledger, zone.airlock.accounts)
    projects.open(name, title=name, purpose="a paper", ends_on=end, members=members, by=PLATFORM, today=TODAY)


def findings(zone: ReviewZone, files: Mapping[str, bytes], project: str, author: str) -> list[Finding]:
    context = zone.context(files, subjects=6000)
    verdict = zone.airlock.check(files, project=project, context=context, author=author)
    return [each for each in verdict.findings if each.check == "differencing" and each.outcome is not Outcome.PASS]


def test_an_authors_parcels_of_every_project_are_compared(zone: ReviewZone) -> None:
    """What the author carried out in one project cannot be subtracted in another one, in which they are alone."""
    zone.submit(OLD, subjects=6000)
    open_project(zone, "alone", AUTHOR.name)
    (finding,) = findings(zone, LESS, "alone", AUTHOR.name)
    assert finding.outcome is Outcome.FAIL
    assert "secret-name.csv" in finding.evidence["against"], "the author's own file is named"
    with pytest.raises(Refused):
        zone.airlock.submit(LESS, zone.context(LESS, subjects=6000), by=AUTHOR, project="alone")


def test_a_project_with_a_common_member_is_compared_and_not_named(zone: ReviewZone) -> None:
    """A member of both projects has both tables. A member of one of them learns no name of the other's files."""
    zone.submit(OLD, subjects=6000)
    open_project(zone, "second", COLLEAGUE.name)
    (finding,) = findings(zone, LESS, "second", "yan")
    assert finding.outcome is Outcome.FAIL
    assert ANOTHER_PROJECTS in finding.evidence["against"]
    assert "secret-name" not in str(finding)
    Projects(zone.airlock.ledger, zone.airlock.accounts).set_members(PROJECT, [AUTHOR.name], by=PLATFORM)
    assert findings(zone, LESS, "second", "yan"), "who was a member once has what the project had then"


def test_people_without_a_common_project_are_not_compared(zone: ReviewZone) -> None:
    """This is no promise: it is what the comparison is about."""
    zone.submit(OLD, subjects=6000)
    open_project(zone, "others")
    assert findings(zone, LESS, "others", "yan") == []
