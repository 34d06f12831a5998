"""Judging a parcel with what the research zone knows (审查判定): earlier tables, versions, populations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from credit.canonical import digest
from credit.errors import Missing, Refused
from credit.ledger import Entry
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from lab.airlock.checks.context_checks import SourcePopulation
from lab.airlock.copies.shelf_models import ShelfModels, ordered_by
from lab.airlock.files.file_kinds import detect_kind
from lab.airlock.gate import ParcelJudgement, judge_parcel
from lab.airlock.parcel_context import ParcelContext
from lab.airlock.review.compared_parcels import ComparedPeople
from lab.airlock.review.earlier_tables import earlier_tables, tables_by_units
from lab.airlock.review.parcel_store import ParcelStore
from lab.airlock.review.petition import Petition
from lab.airlock.review.states import LEFT_OR_PENDING
from lab.airlock.thresholds import Thresholds, load

REGISTER = "registration"  # the table of a release that has one row a subject


@dataclass(frozen=True, slots=True)
class ZoneGate:
    """The gate with the look-ups of one research zone: its store of parcels, its shelf, and today's day.

    ``orders`` are those of trainings that the parcel's project requested; ``people`` says whose parcels are compared.
    """

    store: ParcelStore
    shelf: Shelf
    today: date
    orders: frozenset[str]
    people: ComparedPeople

    @classmethod
    def of(
        cls, store: ParcelStore, shelf: Shelf, today: date, entries: Iterable[Entry], project: str, author: str
    ) -> ZoneGate:
        """The gate for parcels of a project's author, by the entries about projects and trainings."""
        known = list(entries)
        return cls(store, shelf, today, ordered_by(project, known), ComparedPeople.of(known, project, author))

    def judge(
        self, files: Mapping[str, bytes], context: ParcelContext | None, others: Iterable[Petition]
    ) -> ParcelJudgement:
        """The judgement of files by name; ``others`` are all petitions before them.

        Raises :class:`~credit.errors.Broken` when the stored bytes of an earlier parcel were changed.
        """
        thresholds: Thresholds = load()
        left = [each for each in self.people.parcels(others) if each.state in LEFT_OR_PENDING]
        given = tables_by_units(self.shelf, self.people)
        return judge_parcel(
            files,
            context=context,
            earlier=[*given, *earlier_tables(left, self.store, thresholds, self.people)],
            by_units=[each.case for each in given],
            population=self.population(context.releases) if context else None,
            thresholds=thresholds,
            models=ShelfModels(self.shelf, self.today, self.orders),
        )

    def compared_ids(self, petitions: Iterable[Petition]) -> set[str]:
        """The ids of the petitions with whose tables a later one is compared."""
        return {each.id for each in self.people.parcels(petitions) if each.state in LEFT_OR_PENDING}

    def population(self, sources: Iterable[str]) -> SourcePopulation | None:
        """What the sources say of the subjects that they describe; None where one cannot be opened, which ends it."""
        counts = []
        for name in sources:
            try:
                counts.append(subjects_of(self.shelf.open(name, today=self.today, deep=False).seal))
            except (Missing, Refused):
                return None
        known = [count for count in counts if count is not None]
        return SourcePopulation(max(known) if known and len(known) == len(counts) else None)

    def keep(self, judgement: ParcelJudgement, files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
        """Store the main form of each file; the entry's description of each, by its name."""
        return {
            each.name: {
                "digest": self.store.put(each.outgoing),
                "size": len(each.outgoing),
                "kind": each.kind,
                "given": digest(files[submitted]),
                "leaving": {name: str(detect_kind(name, content)) for name, content in each.leaving.items()},
            }
            for submitted, each in judgement.files.items()
        }


def subjects_of(seal: Seal) -> int | None:
    """How many subjects a source describes at most, as its seal says: a release, practice tables, or rows."""
    terms = seal.terms
    if seal.kind is Kind.PRACTICE:
        return _whole(terms.get("practice", {}).get("subjects"))
    if seal.kind is Kind.RELEASE:
        return _whole(terms.get("tables", {}).get(REGISTER, {}).get("rows"))
    if seal.kind is Kind.ROWS:
        return _whole(terms.get("rows"))  # one a subject and day
    return None


def _whole(count: object) -> int | None:
    return count if isinstance(count, int) and not isinstance(count, bool) else None
