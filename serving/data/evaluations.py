"""The public evaluations in use (公共信用综合评价), one per kind of subject, made by `models.evaluation.build`.

Each is verified, memory-mapped and replaced as a whole. They fail closed like the snapshots of scores: one whose
tables' rights do not permit a public evaluation is not opened, even when the platform points at it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Broken, CreditError, Lapsed, Missing
from credit.messages import Text
from credit.seal import Kind
from credit.shelf import Shelf
from credit.subjects import SubjectKey, SubjectKind
from credit.usage_rights import EVALUATION_USES, require_use, stated_rights
from models.scoring.evaluation.declaration import NAME_PREFIX, Evaluation, read_evaluation
from models.scoring.evaluation.sheet import indicator_sheet
from models.scoring.snapshot_layout import KEY_BYTES, SUBJECTS_FILE, map_answers, map_features
from serving.data.key_index import KeyIndex, map_bytes
from serving.data.shortage import SECONDS, LastReads, is_shortage
from serving.data.snapshot import FileStamps, file_stamps, last_valid_day
from serving.observability import log

_SIGNERS = {"platform"}
EVALUATED = (SubjectKind.ENTERPRISE, SubjectKind.INDIVIDUAL_BUSINESS)


@dataclass(frozen=True, slots=True)
class ActiveEvaluation:
    """The evaluation of every subject of a kind on a day. It never changes and is only replaced."""

    model: str
    version: str
    snapshot: str
    release: str
    as_of: date
    expires_on: date  # the first day on which it may not answer
    notice_number: int  # number of the newest suppression notice that it already respects
    evaluation: Evaluation = field(repr=False)
    values: NDArray[np.float64] = field(repr=False)  # (n, F) of the measures
    answers: NDArray[Any] = field(repr=False)  # (n,) records of models.scoring.snapshot_layout.evaluation_dtype
    stamps: FileStamps = field(repr=False)
    keys: KeyIndex = field(repr=False)

    def sheet_of(self, subject: SubjectKey) -> dict[str, Any] | None:
        """The indicator sheet of a subject; None when it was not evaluated. Raises Broken when the sealed points are
        not those of the sealed values.
        """
        row = self.keys.row_of(subject.raw)
        if row is None:
            return None
        sheet, answer = indicator_sheet(self.evaluation, self.values[row]), self.answers[row]
        grade = self.evaluation.grades[int(answer["grade"])]
        if (sheet["points"], sheet["grade"]) != (int(answer["points"]) / 100, grade):
            raise Broken("evaluations.points-differ", snapshot=self.snapshot[:21])
        return sheet

    def valid_until(self, freshness_days: int) -> date:
        """The last day on which it may answer."""
        return last_valid_day(self.as_of, self.expires_on, freshness_days)


def open_evaluation(shelf: Shelf, kind: SubjectKind, name: str) -> ActiveEvaluation:
    """Open the seal `name`, verify every digest, and map the files.

    Raises Broken when the seal or its files do not match, Missing when it is not on the shelf, and Refused when the
    rights of the tables that it reads do not permit a public evaluation.
    """
    stamps = file_stamps(shelf, name)  # before the digests are verified: a later change shows as a difference
    opened = shelf.open(name)
    seal, terms = opened.seal, opened.seal.terms
    if seal.kind is not Kind.SNAPSHOT or terms["model"] != NAME_PREFIX + kind or "evaluation" not in terms:
        raise Broken("evaluations.pointer-names-something-else", kind=kind)
    require_use(stated_rights(terms), *EVALUATION_USES)
    evaluation = read_evaluation(terms["evaluation"])
    if (evaluation.version, evaluation.subject_kind) != (terms["version"], str(kind)):
        raise Broken("evaluations.pointer-names-something-else", kind=kind)
    keys, values, answers = map_bytes(opened.path / SUBJECTS_FILE), map_features(opened.path), map_answers(opened.path)
    if not len(keys) == KEY_BYTES * len(answers) == KEY_BYTES * len(values):
        raise Broken("snapshot.snapshot-files-different-lengths")
    return ActiveEvaluation(
        evaluation.name, evaluation.version, seal.id, str(terms["release"]), date.fromisoformat(terms["as_of"]),
        seal.expires_on, int(terms.get("notice", 0)), evaluation, values, answers, stamps, KeyIndex(keys),
    )  # fmt: skip


class EvaluationRegistry:
    """One slot per kind of subject, watched on the shelf: a verified evaluation, or why there is none."""

    def __init__(self, shelf: Shelf, freshness_days: int) -> None:
        """Empty until `refresh` has run. `freshness_days` is how many days after `as_of` an evaluation may answer."""
        self._shelf, self._freshness = shelf, freshness_days
        self._slots: dict[SubjectKind, ActiveEvaluation | CreditError] = {
            kind: Missing("evaluations.none-made-yet") for kind in EVALUATED
        }
        self._stamps: dict[SubjectKind, object] = {}
        self._last_reads = LastReads()
        self._reading = threading.Lock()

    def refresh(self) -> list[ActiveEvaluation]:
        """Read the pointers and the file stamps once; gives the evaluations newly put in use. Never raises."""
        with self._reading:
            return [opened for kind in EVALUATED if (opened := self._refresh(kind)) is not None]

    def _refresh(self, kind: SubjectKind) -> ActiveEvaluation | None:
        try:
            pointer = self._shelf.pointer(f"snapshot-{NAME_PREFIX}{kind}", _SIGNERS)
            if pointer is None:
                if isinstance(self._slots[kind], ActiveEvaluation):
                    raise Missing("evaluations.none-made-yet")
                return None
            stamps = (pointer, file_stamps(self._shelf, str(pointer["snapshot"])))
            self._last_reads.note(kind)
            if stamps == self._stamps.get(kind):
                return None
            self._stamps[kind] = stamps
            self._slots[kind] = opened = open_evaluation(self._shelf, kind, str(pointer["snapshot"]))
        except CreditError as fault:
            if not self._is_excused(kind, fault):
                self._close(kind, fault)
            return None
        except (OSError, ValueError, KeyError, TypeError, IndexError, MemoryError) as fault:  # not the agreed format
            if not self._is_excused(kind, fault):
                self._close(kind, Broken("evaluations.cannot-be-read", why=Text.verbatim(type(fault).__name__)))
            return None
        log.event("evaluation.opened", model=opened.model, snapshot=opened.snapshot)
        return opened

    def _is_excused(self, kind: SubjectKind, fault: BaseException) -> bool:
        """Whether an evaluation goes on answering although its files could not be read: for a minute of shortage."""
        if not is_shortage(fault):
            return False
        self._stamps.pop(kind, None)  # read again as soon as possible, also when none is in use
        log.event("evaluation.not-read", level=logging.ERROR, model=NAME_PREFIX + kind, fault=type(fault).__name__)
        return isinstance(self._slots[kind], ActiveEvaluation) and self._last_reads.excuse(kind, fault, SECONDS)

    def _close(self, kind: SubjectKind, fault: CreditError) -> None:
        if str(self._slots[kind]) != str(fault):
            log.event("evaluation.closed", level=logging.ERROR, model=NAME_PREFIX + kind, fault=str(fault))
        self._slots[kind] = fault

    def for_kind(self, kind: SubjectKind, day: date) -> ActiveEvaluation:
        """The evaluation of this kind of subject, fit to answer on `day`.

        Raises Lapsed when there is none or it is too old.
        """
        current = self._slots.get(kind, Missing("evaluations.kind-not-evaluated"))
        if not isinstance(current, ActiveEvaluation):
            raise Lapsed("evaluations.not-in-service", why=current.message, kind=kind) from current
        if day > (last := current.valid_until(self._freshness)):
            raise Lapsed("snapshot.snapshot-model-stale", model=current.model, as_of=current.as_of, last=last)
        return current

    def state(self, day: date) -> dict[str, dict[str, str]]:
        """For readiness: by kind the evaluation in use, or the fault."""
        states: dict[str, dict[str, str]] = {}
        for kind in EVALUATED:
            try:
                current = self.for_kind(kind, day)
                states[kind] = {"snapshot": current.snapshot, "as_of": current.as_of.isoformat()}
            except Lapsed as fault:
                states[kind] = {"fault": str(fault)}
        return states

    async def watch(self, every: float, announce: Callable[[ActiveEvaluation], Awaitable[None]]) -> None:
        """Refresh every so many seconds, off the event loop, until cancelled; announce what is put in use."""
        while True:
            await asyncio.sleep(every)
            for opened in await asyncio.to_thread(self.refresh):
                await announce(opened)
