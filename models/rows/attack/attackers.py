"""The attackers: who knows some public records, everything that is open, a bank's own loans, or a partner's invoices.

Each is tried against the rows of one day, which an attacker knows as it is shown. The best of two ways counts: to look
at the columns that the known records touch, and to take the known records for all that there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.lineage.exposure import ExposedColumn
from models.rows.attack.answers import NO_TARGETS, Answers, AttackFigures
from models.rows.attack.known_records import Known
from models.rows.observed import ExactRows
from models.rows.partition.columns import Column, is_text, missing_in
from models.rows.partition.stored import OPEN
from models.rows.shown import ShownRows, partition_of

RECORDS = (1, 3, 5)
LABEL = "label"
ObserveKnown = Callable[[Known, frozenset[str] | None], ExactRows]
"""The exact rows of these subjects on the attacked day (None: of all), as if there were the known records alone."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the attack takes place: rows of one day, what their columns derive from, and which table is whose."""

    rows: ShownRows
    columns: Mapping[str, ExposedColumn]
    register: str
    public: tuple[str, ...]  # the dated tables of which anyone may know records
    banks: tuple[str, ...]  # market tables that a bank fills
    partners: Mapping[str, str]  # market tables in which a trading partner stands: table -> its column
    observe: ObserveKnown
    seed: int
    most: int  # targets, at most
    buckets: int  # of the release

    def shown(self, *partitions: str) -> dict[str, Column]:
        """The shown columns of these partitions."""
        return {
            name: self.rows.columns[name] for name in self.columns if partition_of(self.columns[name]) in partitions
        }

    def drawn(self, candidates: NDArray[np.bool_]) -> NDArray[np.int64]:
        """At most ``most`` of the candidate rows, drawn by the seed.

        They are of one bucket where that has enough of them: subjects are in buckets by a digest, as if by chance, and
        what an attacker knows is then computed from one bucket of the records.
        """
        places = np.flatnonzero(candidates)
        buckets = bucket_numbers(self.rows.exact.subjects[places], self.buckets)
        of_one = places[buckets == self.seed % self.buckets]
        if len(of_one) >= min(self.most, len(places)) // 2:
            places = of_one
        if len(places) > self.most:
            places = np.sort(np.random.default_rng(self.seed).choice(places, self.most, replace=False))
        return np.asarray(places, dtype=np.int64)


def bucket_numbers(subjects: NDArray[Any], buckets: int) -> NDArray[np.int64]:
    """The bucket (n,) of each subject: by the first byte of its pseudonym."""
    return np.array([int(str(subject)[:2], 16) * buckets // 256 for subject in subjects], dtype=np.int64)


def some_records(ground: Ground, records: tuple[int, ...] = RECORDS) -> dict[str, AttackFigures]:
    """Attackers who know n public records of a subject that has some, without and with the open register.

    The targets are drawn among the subjects whose rows show something that a public record said.
    """
    shown = ground.shown(OPEN)
    if not shown or not ground.public:
        return {}
    answers = Answers.of(shown, len(ground.rows))
    everyone, empty = np.arange(len(ground.rows)), Known(ground.public, 0, str(ground.seed))
    nothing = _of_targets(ground.observe(empty, None), ground, everyone)
    own = ground.drawn(np.any([_differ(ground.rows.exact.columns[name], nothing[name]) for name in shown], axis=0))
    if not len(own):
        return {}
    targets = frozenset(str(subject) for subject in ground.rows.exact.subjects[own])
    nothing = {name: column[own] for name, column in nothing.items()}
    of_register = {name for name in shown if ground.columns[name].tables == {ground.register}}
    touching = {name for name in shown if ground.register in ground.columns[name].tables}
    figures = {}
    for count in records:
        known = _of_targets(ground.observe(Known(ground.public, count, str(ground.seed)), targets), ground, own)
        touched = {name: _differ(known[name], nothing[name]) for name in shown}
        some = np.any(list(touched.values()), axis=0) if touched else np.zeros(len(own), dtype=np.bool_)
        none, all_ = np.zeros(len(own), dtype=np.bool_), np.ones(len(own), dtype=np.bool_)
        for suffix, hidden in (("", touching), ("_register", set[str]())):
            whole = {name: none if name in hidden else all_ for name in shown}
            part = {name: whole[name] if name in of_register else touched[name] & whole[name] for name in shown}
            figures[f"records_{count}{suffix}"] = _best(answers, own, some, known, (part, whole))
    return figures


def all_open(ground: Ground) -> dict[str, AttackFigures]:
    """An attacker who has scraped everything that is open, the register too, and replays the partition."""
    shown = ground.shown(OPEN)
    answers = Answers.of(shown, len(ground.rows))
    return {"all_knowing": answers.own_figures(np.arange(len(ground.rows)))}


def banks(ground: Ground) -> dict[str, AttackFigures]:
    """A bank that knows every loan of its customer, and its outcome; alone, and with all that is open."""
    figures: dict[str, AttackFigures] = {}
    for table in ground.banks:
        shown = ground.shown(table)
        exact: dict[str, Column] = {name: ground.rows.exact.columns[name] for name in shown}
        customers = np.zeros(len(ground.rows), dtype=np.bool_)
        for column in exact.values():
            customers |= ~missing_in(column)
        if not np.isnan(ground.rows.labels).all():
            shown, exact = shown | {LABEL: ground.rows.labels}, exact | {LABEL: ground.rows.exact.labels}
            customers |= ~np.isnan(ground.rows.labels)
        figures |= _partner_figures(ground, f"bank_{table}", shown, exact, ground.drawn(customers))
    return figures


def partners(ground: Ground) -> dict[str, AttackFigures]:
    """A trading partner that knows every invoice between itself and the subject; alone, and with all that is open."""
    figures: dict[str, AttackFigures] = {}
    for table, column in ground.partners.items():
        shown = ground.shown(table)
        if not shown:
            continue
        customers = np.zeros(len(ground.rows), dtype=np.bool_)
        for name in shown:
            customers |= ~missing_in(ground.rows.exact.columns[name])
        own = ground.drawn(customers)
        if not len(own):
            continue
        targets = frozenset(str(subject) for subject in ground.rows.exact.subjects[own])
        observed = ground.observe(Known((table,), 10_000, str(ground.seed), partner=(table, column)), targets)
        known = _of_targets(observed, ground, own)
        figures |= _partner_figures(ground, f"partner_{table}", shown, known, own, of_targets=True)
    return figures


def _partner_figures(
    ground: Ground,
    name: str,
    shown: dict[str, Column],
    known: dict[str, Column],
    own: NDArray[np.int64],
    *,
    of_targets: bool = False,
) -> dict[str, AttackFigures]:
    if not shown or not len(own):
        return {name: NO_TARGETS, f"{name}_all_knowing": NO_TARGETS}
    known_values = {each: known[each] if of_targets else known[each][own] for each in shown}
    informed = {each: np.ones(len(own), dtype=np.bool_) for each in shown}
    alone = Answers.of(shown, len(ground.rows)).figures(own, known_values, informed)
    opened = ground.shown(OPEN)
    replayed = {each: column[own] for each, column in opened.items()}
    everything = Answers.of(shown | opened, len(ground.rows)).figures(
        own, known_values | replayed, informed | {each: np.ones(len(own), dtype=np.bool_) for each in opened}
    )
    return {name: alone, f"{name}_all_knowing": everything}


def _best(
    answers: Answers,
    own: NDArray[np.int64],
    some: NDArray[np.bool_],
    known: dict[str, Column],
    ways: tuple[dict[str, NDArray[np.bool_]], ...],
) -> AttackFigures:
    best = NO_TARGETS
    for informed in ways:
        known_values = {name: column[some] for name, column in known.items()}
        best = best.worst(
            answers.figures(own[some], known_values, {name: each[some] for name, each in informed.items()})
        )
    return best


def _of_targets(observed: ExactRows, ground: Ground, own: NDArray[np.int64]) -> dict[str, Column]:
    """The columns in the order of the targets; a target of whom nothing is observed has missing values."""
    order = np.argsort(observed.subjects.astype(np.str_))
    subjects = observed.subjects.astype(np.str_)[order]
    wanted = ground.rows.exact.subjects[own].astype(np.str_)
    place = np.minimum(np.searchsorted(subjects, wanted), max(0, len(subjects) - 1))
    has_rows = subjects[place] == wanted if len(subjects) else np.zeros(len(own), dtype=np.bool_)
    columns: dict[str, Column] = {}
    for name, column in observed.columns.items():
        values = column[order][place].copy() if len(subjects) else np.full(len(own), np.nan)
        values[~has_rows] = None if is_text(values) else np.nan
        columns[name] = values
    return columns


def _differ(one: Column, other: Column) -> NDArray[np.bool_]:
    missing = missing_in(one), missing_in(other)
    return np.asarray((missing[0] != missing[1]) | (~missing[0] & ~missing[1] & (one != other)), dtype=np.bool_)
