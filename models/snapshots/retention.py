"""Retention (保存期限): which releases and snapshots nothing in use needs any more, and their destruction.

Kept are: what the platform points at, and the release behind it; of each model and month the newest snapshot and the
newest monthly evaluation, for thirteen months (the next evaluation compares with the last); a research release until it
ends, so that a training can be repeated; the newest practice tables, and rows, until they end. The rest goes some days
after another took its place, with the records in it that were repaired since; of a snapshot the rows that answers rest
on are sealed first, and kept for five years.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from credit import releases
from credit.actor import Actor
from credit.destruction import destruction_record, is_emptied, record_destruction
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from models.snapshots.pointers import DOSSIERS

MONTHS, YEARS = 13, 5
STEP = 10_000  # entries between two reports of progress
_POINTERS = {"platform"}
MakeExcerpt = Callable[..., Seal | None]
"""The maker of an excerpt, which belongs to the service: :func:`serving.data.excerpt.make_excerpt`."""


@dataclass(frozen=True, slots=True)
class Due:
    """A seal whose time is over, why, and the subjects of the answers that rest on it."""

    seal: Seal
    why: str
    subjects: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Retention:
    """The rule on one shelf, with the ledger of the service that answers from it."""

    shelf: Shelf
    answers: Ledger
    today: date
    days: int
    make_excerpt: MakeExcerpt
    report: Callable[[str, int, int], None] | None = None

    def due(self) -> list[Due]:
        """What is to be destroyed, snapshots before the releases behind them. Raises Broken for a ledger or a seal."""
        snapshots = self._there(Kind.SNAPSHOT)
        kept = self._kept(snapshots)
        answered = self._answered({seal.id for seal in snapshots} - kept)
        due = []
        for seal in snapshots:
            last, subjects = answered.get(seal.id, (date.min, frozenset[str]()))
            if seal.id not in kept and (why := self._over(seal, snapshots, "model")) and self._is_past(last):
                due.append(Due(seal, why, subjects))
        swept = {each.seal.id for each in due}
        parents = {parent for seal in snapshots if seal.id not in swept for parent in seal.parents}
        due += [*self._releases(parents), *self._of_workspaces()]
        ended = (seal for seal in self._there(Kind.EXCERPT) if seal.expires_on <= self.today)
        return [*due, *(Due(seal, f"it ended on {seal.expires_on}") for seal in ended)]

    def record(self, due: Due, *, by: Actor, key: SigningKey, ledger: Ledger) -> dict[str, Any]:
        """Seal what answers rest on, and record the destruction in the ledger and on the shelf.

        The zone that made the seal deletes its files after that. A run that was killed on the way is done again.
        """
        begun = destruction_record(self.shelf, due.seal.id)
        if begun is not None:
            excerpt = begun.excerpt
        else:
            made = self._excerpt(due, by, key) if due.subjects else None
            excerpt = made.id if made else None
        details = {"why": due.why, "excerpt": excerpt}
        ledger.append("seal.destroyed", due.seal.id, by=by, details=details)
        record_destruction(self.shelf, due.seal, on=self.today, key=key, excerpt=excerpt)
        return {"id": due.seal.id, **details}

    def _excerpt(self, due: Due, by: Actor, key: SigningKey) -> Seal | None:
        ends = self.today + timedelta(days=365 * YEARS)
        return self.make_excerpt(
            self.shelf, self.shelf.open(due.seal.id), due.subjects, expires_on=ends, by=by, key=key
        )

    def _there(self, kind: Kind) -> list[Seal]:
        """Those that still have their files, also half of them."""
        seals = self.shelf.list(kind)
        return [
            seal
            for seal in seals
            if destruction_record(self.shelf, seal.id) is None or not is_emptied(self.shelf, seal)
        ]

    def _kept(self, snapshots: list[Seal]) -> set[str]:
        models = {str(seal.terms["model"]) for seal in snapshots}
        words = (self.shelf.pointer(f"snapshot-{model}", _POINTERS) for model in models)
        newest: dict[tuple[object, ...], tuple[str, str, str]] = {}
        first = _months_before(self.today, MONTHS)
        for seal in snapshots:
            day = str(seal.terms["as_of"])
            if seal.terms["model"] != DOSSIERS and day[:7] >= first:
                place = (seal.terms["model"], day[:7], "period" in seal.terms)
                newest[place] = max(newest.get(place, ("", "", "")), (day, seal.made_at.isoformat(), seal.id))
        return {str(word["snapshot"]) for word in words if word} | {name for *_, name in newest.values()}

    def _releases(self, used: set[str]) -> Iterator[Due]:
        there = self._there(Kind.RELEASE)
        for purpose in sorted({str(seal.terms["purpose"]) for seal in there}):
            same = sorted((seal for seal in there if seal.terms["purpose"] == purpose), key=releases.recency)
            for seal in same:
                if seal.id in used or (seal is same[-1] and seal.expires_on > self.today):
                    continue
                others = [] if purpose == "research" else same
                if why := self._over(seal, others, "purpose"):
                    yield Due(seal, why)

    def _of_workspaces(self) -> Iterator[Due]:
        """Practice tables of which there are newer ones, and those and rows that have ended."""
        practice = sorted(self._there(Kind.PRACTICE), key=releases.recency)
        for seal in (*practice, *self._there(Kind.ROWS)):
            is_newest = seal is practice[-1] if practice else False
            others = practice if seal.kind is Kind.PRACTICE and not is_newest else []
            if why := self._over(seal, others, "purpose"):
                yield Due(seal, why)

    def _over(self, seal: Seal, others: list[Seal], of: str) -> str:
        """Why its time is over; nothing while it is not."""
        later = [o.made_at for o in others if o.terms.get(of) == seal.terms.get(of) and o.made_at > seal.made_at]
        if later and self._is_past(min(later).date()):
            return f"another took its place on {min(later).date()}"
        return f"it ended on {seal.expires_on}" if self._is_past(seal.expires_on) else ""

    def _is_past(self, day: date) -> bool:
        return day + timedelta(days=self.days) <= self.today

    def _answered(self, snapshots: set[str]) -> dict[str, tuple[date, frozenset[str]]]:
        """By snapshot: the day of the last answer from it, and whose they were. The whole ledger is verified."""
        days: dict[str, date] = {}
        subjects: dict[str, set[str]] = {}
        total = self.answers.head()[0] if self.report else 0
        for entry in self.answers.verified():
            if self.report and entry.seq % STEP == 0:
                self.report("reading the answers", entry.seq, total)
            name = str(entry.details.get("snapshot"))
            if name in snapshots and "subject" in entry.details:
                days[name] = entry.at.date()
                subjects.setdefault(name, set()).add(str(entry.details["subject"]))
        return {name: (days[name], frozenset(those)) for name, those in subjects.items()}


def _months_before(day: date, months: int) -> str:
    """The month so many before a day's, as 2026-11."""
    number = day.year * 12 + day.month - 1 - months
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
