"""The active snapshots, one per model: watched on the shelf, verified in full, replaced without failing a request."""

from __future__ import annotations

import asyncio
import copy
import logging
import threading
from collections.abc import Awaitable, Callable
from datetime import date

from credit.errors import Broken, CreditError, Lapsed, Missing
from credit.messages import Text
from credit.shelf import Shelf
from credit.subjects import SubjectKind
from serving.data.shortage import SECONDS, LastReads, is_shortage
from serving.data.snapshot import ActiveSnapshot, SnapshotPointers, file_stamps, open_snapshot, read_pointers
from serving.data.suppression import Suppression
from serving.observability import log
from serving.state.decision_cache import DecisionCache
from serving.store.store import Store

SCORING, MOST_EARLIER = "scoring", 4  # earlier snapshots that stay open: the system takes memory for what is read


class SnapshotRegistry:
    """One slot per model, which holds a verified snapshot or the error that keeps the model out of service.

    A slot fails closed: a pointer or a seal that does not verify takes the model out of service, even when an older
    snapshot was good. In one state the older snapshot goes on answering: a new champion is set and its snapshot has
    not been made yet.
    """

    def __init__(self, shelf: Shelf, models: tuple[str, ...], freshness_days: int, shared: Store | None = None) -> None:
        """Slots are empty until `refresh` has run once.

        `freshness_days` is how many days after `as_of` a snapshot may answer.
        """
        self.suppression = Suppression(shelf, SCORING, shared)
        self.shelf, self._freshness = shelf, freshness_days
        self._slots: dict[str, ActiveSnapshot | CreditError] = {
            model: Missing("registry.no-snapshot-loaded") for model in models
        }
        self._earlier: dict[str, ActiveSnapshot] = {}  # by id, the last ones that were replaced
        self._stamps: dict[str, object] = {}
        self._reading = threading.Lock()
        self._last_reads = LastReads()  # of each model's files
        self._generation = 0  # incremented at every change of a slot
        self._by_kind: DecisionCache[tuple[SubjectKind, date], ActiveSnapshot] = DecisionCache(64)
        self.waiting: dict[str, str] = {}  # model -> promoted version whose snapshot has not been made yet

    def refresh(self) -> list[ActiveSnapshot]:
        """Read every model's pointers and file stamps once; gives the snapshots newly put in use. Never raises.

        A second caller waits for the first, and then finds in use what that one has opened.
        """
        with self._reading:
            self.suppression.refresh()  # before a newer snapshot ends a suppression
            return [snapshot for model in self._slots if (snapshot := self._refresh(model)) is not None]

    def _refresh(self, model: str) -> ActiveSnapshot | None:
        current = self._slots[model]
        try:
            pointers = read_pointers(self.shelf, model)
            own_seals = (current.version, current.snapshot) if isinstance(current, ActiveSnapshot) else ()
            stamps = (pointers, file_stamps(self.shelf, *pointers.seals), file_stamps(self.shelf, *own_seals))
            self._last_reads.note(model)
            if self._stamps.get(model) == stamps:
                return None
            self._stamps[model] = stamps
            if isinstance(current, ActiveSnapshot) and self._keeps(current, pointers):
                self.waiting[model] = pointers.champion
                return None
            opened = open_snapshot(self.shelf, pointers)
            self._stamps[model] = (pointers, file_stamps(self.shelf, *pointers.seals), opened.stamps)
        except CreditError as fault:
            if not self._is_excused(model, fault):
                self._close(model, fault)
            return None
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            MemoryError,
        ) as fault:  # a file does not have the agreed format
            if not self._is_excused(model, fault):
                self._close(model, Broken("registry.snapshot-unreadable", why=Text.verbatim(type(fault).__name__)))
            return None
        if isinstance(current, ActiveSnapshot) and current.snapshot != opened.snapshot:
            self._keep(current)
        self._slots[model] = opened
        self._generation += 1
        self.waiting.pop(model, None)
        log.event("book.opened", model=model, version=opened.version, snapshot=opened.snapshot)
        return opened

    def _is_excused(self, model: str, fault: BaseException) -> bool:
        """Whether a snapshot goes on answering although its files could not be read: for a minute of shortage."""
        if not is_shortage(fault):
            return False
        self._stamps.pop(model, None)  # read again as soon as possible, also when none is in use
        log.event("book.not-read", level=logging.ERROR, model=model, fault=type(fault).__name__)
        return isinstance(self._slots[model], ActiveSnapshot) and self._last_reads.excuse(model, fault, SECONDS)

    def _keeps(self, current: ActiveSnapshot, pointers: SnapshotPointers) -> bool:
        """Whether the current snapshot goes on answering while the new champion has none: only if its files are
        unchanged.
        """
        return not pointers.agree and file_stamps(self.shelf, current.version, current.snapshot) == current.stamps

    def _close(self, model: str, fault: CreditError) -> None:
        is_known = str(self._slots[model]) == str(fault)
        self._slots[model] = fault
        self._generation += 1
        self.waiting.pop(model, None)
        if not is_known:
            log.event("book.closed", level=logging.ERROR, model=model, fault=str(fault))

    def for_model(self, model: str, day: date) -> ActiveSnapshot:
        """The model's snapshot, fit to answer on `day`. Raises Lapsed when there is none or it is too old."""
        current = self._slots[model]
        if isinstance(current, ActiveSnapshot):
            current.require_fresh(day, self._freshness)
            return current
        raise Lapsed("registry.model-not-in-service", why=current.message, model=model) from current

    async def pinned(self, model: str, version: str, snapshot: str) -> SnapshotRegistry | None:
        """A registry in which this earlier snapshot answers for its model; None when it cannot be opened any more.

        It is this registry itself when that snapshot answers now, or without one (for what no snapshot answers).
        """
        current = self._slots.get(model)
        if model and current is None:  # of a public evaluation, or of a model that is served no more: nothing is pinned
            return self
        if not snapshot or (isinstance(current, ActiveSnapshot) and current.snapshot == snapshot):
            return self
        earlier = self._earlier.get(snapshot)
        if earlier is None:
            pointers = SnapshotPointers(model, version, version, snapshot)
            try:
                earlier = await asyncio.to_thread(open_snapshot, self.shelf, pointers)
            except CreditError:
                return None
        self._keep(earlier)
        pinned = copy.copy(self)
        pinned._slots = {**self._slots, model: earlier}
        pinned._by_kind = DecisionCache(1)
        return pinned

    def _keep(self, snapshot: ActiveSnapshot) -> None:
        """Remember a snapshot that was replaced, for requests that are repeated."""
        self._earlier.pop(snapshot.snapshot, None)
        self._earlier[snapshot.snapshot] = snapshot
        while len(self._earlier) > MOST_EARLIER:
            del self._earlier[next(iter(self._earlier))]

    def require_current(self, subject: str, snapshot: str) -> None:
        """Check that an answer from this snapshot about a subject (32 hex digits) may still be used.

        Raises BeingReevaluated when a suppression notice has listed the subject since, and Lapsed when suppression
        cannot be determined.
        """
        through = next(
            (
                slot.notice_number
                for slot in self._slots.values()
                if isinstance(slot, ActiveSnapshot) and slot.snapshot == snapshot
            ),
            None,
        )
        if through is None:
            through = int(self.shelf.open(snapshot, deep=False).seal.terms.get("notice", 0))
        self.suppression.require(subject, through)

    def for_kind(self, kind: SubjectKind, day: date) -> ActiveSnapshot:
        """The snapshot of the first model that scores this kind of subject.

        Raises Missing when no model does, Lapsed when it may not answer.
        """
        generation = self._generation
        snapshot = self._by_kind.get((kind, day), generation)
        if snapshot is None:
            snapshot = self._first_of(kind, day)
            self._by_kind.put((kind, day), snapshot, generation)
        return snapshot

    def _first_of(self, kind: SubjectKind, day: date) -> ActiveSnapshot:
        declared = {model: slot for model, slot in self._slots.items() if isinstance(slot, ActiveSnapshot)}
        for model in self._slots:
            kind_of_model = declared[model].subject_kind if model in declared else _kind_named(model)
            if kind_of_model in (None, kind):
                return self.for_model(model, day)
        raise Missing("registry.no-model-scores-subjects-kind", kind=kind)

    def state(self, day: date) -> dict[str, dict[str, str]]:
        """For readiness: each model's snapshot, or its fault."""
        return {model: self._state(model, day) for model in self._slots}

    def _state(self, model: str, day: date) -> dict[str, str]:
        current = self._slots[model]
        if isinstance(current, CreditError):
            return {"fault": str(current)}
        if (fault := self.suppression.fault) is not None:
            return {"fault": str(fault)}
        try:
            snapshot = self.for_model(model, day)
        except Lapsed as stale:
            return {"fault": str(stale)}
        status = {"version": snapshot.version, "snapshot": snapshot.snapshot, "as_of": snapshot.as_of.isoformat()}
        return status | ({"waiting_for_snapshot_of": self.waiting[model]} if model in self.waiting else {})

    async def watch(self, every: float, announce: Callable[[ActiveSnapshot], Awaitable[None]]) -> None:
        """Refresh every so many seconds, off the event loop, until cancelled; announce each snapshot put in use."""
        while True:
            await asyncio.sleep(every)
            for snapshot in await asyncio.to_thread(self.refresh):
                await announce(snapshot)


def _kind_named(model: str) -> SubjectKind | None:
    """The kind of a model without a snapshot: the city's models are named after the kind that they score."""
    return SubjectKind(model) if model in set(SubjectKind) else None
