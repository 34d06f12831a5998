"""A small research zone: a project with two members, three outside reviewers, a release, and the review service."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import Shelf
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.review.petition import Petition
from lab.airlock.review.reading import reading_token
from lab.airlock.review.service import AirlockService
from lab.projects import Projects
from lab.settings import ResearchSettings
from tests.credit.separation.account_changes import AccountsSince

TODAY = date(2026, 11, 24)
AUTHOR = Actor("li", Role.RESEARCHER)
COLLEAGUE = Actor("wang", Role.RESEARCHER)
FIRST, SECOND, THIRD = (Actor(name, Role.REVIEWER) for name in ("zhao", "qian", "sun"))
PLATFORM = Actor("ops", Role.PLATFORM)
PEOPLE = {each.name: each.role for each in (AUTHOR, COLLEAGUE, FIRST, SECOND, THIRD, PLATFORM)}
PROJECT = "retail"

SAFE = b"industry,n\nretail,120\ncatering,85\nlogistics,240\n"
WRITTEN = b'"industry","n"\n"retail",120\n"catering",85\n"logistics",240\n'
"""What leaves of :data:`SAFE`."""
SMALL = b"industry,n\nretail,120\ncatering,3\nlogistics,240\n"


@dataclass(frozen=True)
class ReviewZone:
    """The review service with its release and folder."""

    airlock: AirlockService
    release: str
    folder: Path

    def context(self, files: Mapping[str, bytes], **about: Any) -> ParcelContext:
        description = {
            "what": "firms by industry",
            "population": "all firms",
            "counted": "count(*)",
            "subjects": 445,
        } | about
        return ParcelContext(
            "Firms by industry", "a paper", {name: FileDescription(**description) for name in files}, (self.release,)
        )

    def submit(self, files: Mapping[str, bytes], by: Actor = AUTHOR, **about: Any) -> str:
        return self.airlock.submit(files, self.context(files, **about), by=by, project=PROJECT).id

    def vote(self, id: str, approve: bool, reason: str, *, by: Actor) -> Petition:
        return read_and_vote(self.airlock, id, approve, reason, by=by)

    def approve(self, id: str) -> None:
        self.vote(id, True, "seen", by=FIRST)
        self.vote(id, True, "seen", by=SECOND)


def read_and_vote(airlock: AirlockService, id: str, approve: bool, reason: str, *, by: Actor) -> Petition:
    """Vote as a reviewer who read every file to its end; who may read none is refused by the vote itself."""
    petition = airlock.get(id)
    for name in petition.unread(by.name):
        with suppress(Refused):
            airlock.mark_read(id, name, reading_token(petition, name, by.name, airlock.key), by=by)
    return airlock.vote(id, approve, reason, by=by)


def build(folder: Path, keys: Mapping[str, SigningKey], ring: KeyRing) -> ReviewZone:
    settings = ResearchSettings(
        **{name: folder / name for name in ResearchSettings.__dataclass_fields__ if name != "session"}
    )
    ledger = Ledger(settings.ledger, keys["research"], ring)
    shelf = Shelf(settings.shelf, ring)
    accounts, end = AccountsSince(PEOPLE), TODAY + timedelta(days=300)
    Projects(ledger, accounts).open(
        PROJECT, title="Retail", purpose="a paper", ends_on=end, members=[AUTHOR.name, COLLEAGUE.name], by=PLATFORM,
        today=TODAY,
    )  # fmt: skip
    with shelf.staging() as making:
        (making / "tables.txt").write_text("none")
        seal = shelf.put(
            making,
            Kind.RELEASE,
            parents=(),
            terms={"purpose": "research", "invented": True, "tables": {"registration": {"rows": 200_000}}},
            expires_on=TODAY + timedelta(days=90),
            by=Actor("custody", Role.PLATFORM),
            key=keys["custody"],
        )
    return ReviewZone(
        AirlockService(settings, ledger, shelf, keys["research"], accounts, lambda: TODAY), seal.id, folder
    )
