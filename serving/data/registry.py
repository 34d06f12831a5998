"""The books in use, one a model: watched on the shelf, verified whole, and swapped whole without failing a request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import date

from credit.errors import Broken, CreditError, Lapsed, Missing
from credit.messages import Text
from credit.shelf import Shelf
from credit.subjects import SubjectKind
from serving.data.snapshot import ActiveSnapshot, SnapshotPointers, file_stamps, open_snapshot, read_pointers
from serving.data.suppression import Suppression
from serving.observability import log
from serving.state.coordination_db import CoordinationDb
from serving.state.decision_cache import DecisionCache

SCORING = "scoring"


class SnapshotRegistry:
    """One slot a model, holding a verified book or the reason why there is none.

    A slot fails closed: a pointer or a seal that does not verify takes the model out of service, even when an older
    book was good. One state is waited out with the older book: the champion moved and its snapshot is not yet made.
    """

    def __init__(
        self, shelf: Shelf, models: tuple[str, ...], freshness_days: int, shared: CoordinationDb | None = None
    ) -> None:
        """Slots are empty until `refresh` has run once."""
        self.withheld = Suppression(shelf, SCORING, shared)
        self.shelf, self._freshness = shelf, freshness_days
        self._slots: dict[str, ActiveSnapshot | CreditError] = {
            model: Missing("registry.no-snapshot-loaded") for model in models
        }
        self._seen: dict[str, object] = {}
        self._generation = 0  # one more with every change of a slot
        self._fit: DecisionCache[tuple[SubjectKind, date], ActiveSnapshot] = DecisionCache(64)
        self.waiting: dict[str, str] = {}  # model -> version promoted whose snapshot is not there yet

    def refresh(self) -> list[ActiveSnapshot]:
        """Look at every model's pointers and files once; gives the books newly put in use. Never raises."""
        self.withheld.refresh()  # first: whoever is named in it is so before a newer book lifts it
        return [book for model in self._slots if (book := self._refresh(model)) is not None]

    def _refresh(self, model: str) -> ActiveSnapshot | None:
        held = self._slots[model]
        try:
            pointed = read_pointers(self.shelf, model)
            mine = (held.version, held.snapshot) if isinstance(held, ActiveSnapshot) else ()
            seen = (pointed, file_stamps(self.shelf, *pointed.seals), file_stamps(self.shelf, *mine))
            if self._seen.get(model) == seen:
                return None
            self._seen[model] = seen
            if isinstance(held, ActiveSnapshot) and self._keeps(held, pointed):
                self.waiting[model] = pointed.champion
                return None
            book = open_snapshot(self.shelf, pointed)
            self._seen[model] = (pointed, file_stamps(self.shelf, *pointed.seals), book.marks)
        except CreditError as fault:
            self._close(model, fault)
            return None
        except (OSError, ValueError, KeyError, TypeError, IndexError) as fault:  # a file of another form than agreed
            self._close(model, Broken("registry.snapshot-unreadable", why=Text.verbatim(type(fault).__name__)))
            return None
        self._slots[model] = book
        self._generation += 1
        self.waiting.pop(model, None)
        log.event("book.opened", model=model, version=book.version, snapshot=book.snapshot)
        return book

    def _keeps(self, held: ActiveSnapshot, pointed: SnapshotPointers) -> bool:
        """Whether the held book goes on serving while the new champion's snapshot is awaited: only if untouched."""
        return not pointed.agree and file_stamps(self.shelf, held.version, held.snapshot) == held.marks

    def _close(self, model: str, fault: CreditError) -> None:
        known = str(self._slots[model]) == str(fault)
        self._slots[model] = fault
        self._generation += 1
        self.waiting.pop(model, None)
        if not known:
            log.event("book.closed", level=logging.ERROR, model=model, fault=str(fault))

    def for_model(self, model: str, day: date) -> ActiveSnapshot:
        """The model's book, fit to answer on `day`. Raises Lapsed when there is none or it is too old."""
        held = self._slots[model]
        if isinstance(held, ActiveSnapshot):
            held.require_fresh(day, self._freshness)
            return held
        raise Lapsed("registry.model-not-in-service", why=held.message, model=model) from held

    def require_current(self, subject: str, snapshot: str) -> None:
        """Raises Anew when what this snapshot said of a subject (32 hex) is not to be used any more, Lapsed."""
        through = next(
            (b.notice for b in self._slots.values() if isinstance(b, ActiveSnapshot) and b.snapshot == snapshot), None
        )
        if through is None:
            through = int(self.shelf.open(snapshot, deep=False).seal.terms.get("notice", 0))
        self.withheld.require(subject, through)

    def for_kind(self, kind: SubjectKind, day: date) -> ActiveSnapshot:
        """The first model's book that scores this kind of subject. Raises Missing when none does, Lapsed."""
        generation = self._generation
        held = self._fit.get((kind, day), generation)
        if held is None:
            held = self._first_of(kind, day)
            self._fit.put((kind, day), held, generation)
        return held

    def _first_of(self, kind: SubjectKind, day: date) -> ActiveSnapshot:
        declared = {model: slot for model, slot in self._slots.items() if isinstance(slot, ActiveSnapshot)}
        for model in self._slots:
            kind_of_model = declared[model].subject_kind if model in declared else _kind_named(model)
            if kind_of_model in (None, kind):
                return self.for_model(model, day)
        raise Missing("registry.no-model-scores-subjects-kind", kind=kind)

    def state(self, day: date) -> dict[str, dict[str, str]]:
        """For readiness: each model's book, or what is wrong with it."""
        return {model: self._state(model, day) for model in self._slots}

    def _state(self, model: str, day: date) -> dict[str, str]:
        held = self._slots[model]
        if isinstance(held, CreditError):
            return {"fault": str(held)}
        if (failed := self.withheld.fault) is not None:
            return {"fault": str(failed)}
        try:
            book = self.for_model(model, day)
        except Lapsed as stale:
            return {"fault": str(stale)}
        told = {"version": book.version, "snapshot": book.snapshot, "as_of": book.as_of.isoformat()}
        return told | ({"waiting_for_snapshot_of": self.waiting[model]} if model in self.waiting else {})

    async def watch(self, every: float, announce: Callable[[ActiveSnapshot], Awaitable[None]]) -> None:
        """Refresh every so many seconds for ever, off the event loop, and announce each book put in use."""
        while True:
            await asyncio.sleep(every)
            for book in await asyncio.to_thread(self.refresh):
                await announce(book)


def _kind_named(model: str) -> SubjectKind | None:
    """The kind of a model that has no book: models of the city are named after the kind they score."""
    return SubjectKind(model) if model in set(SubjectKind) else None
