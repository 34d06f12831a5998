"""What a new table would isolate, by itself and together with all that was given before.

Covered: any two statistics, whatever their names, labels, scales and shifts; a statistic against every union of cells
of one table; one statistic against two others. The union of all cells of a table counts as a statistic of its own.
Counts, sums, means, variances, medians and quantiles are all judged by what they are made of, as if each could be
subtracted exactly: roundings do not help an attacker, and are not relied upon.

Not covered: chains of four or more; a union of cells of one table against a union of cells of another, unless one of
them is the whole table; a function of a column that is neither a scale nor a shift (a sum of ``x`` and one of its
logarithm); combinations of what several people were given who have neither a project nor an author in common.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.tables.cells.contents import CellContents
from models.tables.differencing.alike import differing
from models.tables.differencing.chains import chains, isolating_chain
from models.tables.differencing.given import WHOLE, GivenStatistics, Statistic, count, statistics_of, universe_of
from models.tables.differencing.unions import candidates, isolating_union

NEW = -1  # the number of the table that is judged


@dataclass(frozen=True, slots=True)
class Isolation:
    """A combination that isolates ``units`` units, fewer than k: its kind, the cells of the new table in it, and
    whether something that was given before takes part."""

    kind: str
    units: int
    cells: tuple[int, ...]
    with_earlier: bool


class EarlierUnits:
    """All that an author or a project was given before, tables and orders, made ready once for judging new ones."""

    def __init__(self, earlier: list[CellContents], coming: CellContents) -> None:
        self.universe = universe_of([*earlier, coming])
        statistics = [
            each for number, table in enumerate(earlier) for each in statistics_of(table, self.universe, number)
        ]
        self.given = GivenStatistics(_different(statistics), len(self.universe))
        self.known = {each.fingerprint for each in self.given.statistics}
        self.tables = GivenStatistics(statistics, len(self.universe))  # with repetitions: unions need whole tables


def isolations(new: CellContents, earlier: EarlierUnits, k: int) -> Iterator[Isolation]:
    """Everything the new table would isolate with what was given before; each once, in no particular order.

    Raises :class:`~credit.errors.Refused` when there is too much to judge.
    """
    own = statistics_of(new, earlier.universe, NEW)
    unknown = _different([each for each in own if each.fingerprint not in earlier.known])
    coming = GivenStatistics(unknown, len(earlier.universe))
    given = earlier.given.joined(coming)
    first = len(earlier.given)
    yield from _pairs(given, first, k, new)
    yield from _unions(given, first, GivenStatistics(own, len(earlier.universe)), earlier.tables, k, new)
    is_new = np.arange(len(given)) >= first
    for places in chains(given, is_new, k):
        parts = [given.statistics[place] for place in places]
        if number := isolating_chain(parts[0], parts[1], parts[2], k):
            yield _isolation("chain", number, parts, new)


def _pairs(given: GivenStatistics, first: int, k: int, new: CellContents) -> Iterator[Isolation]:
    for place in range(first, len(given)):
        distance = count(given.bits[:place] ^ given.bits[place])
        for other in np.flatnonzero(distance < k):
            pair = [given.statistics[place], given.statistics[int(other)]]
            if number := differing(pair[0], pair[1], k):
                yield _isolation("pair", number, pair, new)


def _unions(
    given: GivenStatistics, first: int, own: GivenStatistics, tables: GivenStatistics, k: int, new: CellContents
) -> Iterator[Isolation]:
    for place in range(first, len(given)):
        for _, cells in tables.groups():
            yield from _union(given, place, tables, cells, k, new)
    for place in range(first):
        for _, cells in own.groups():
            yield from _union(given, place, own, cells, k, new)


def _union(
    given: GivenStatistics, place: int, tables: GivenStatistics, cells: list[int], k: int, new: CellContents
) -> Iterator[Isolation]:
    chosen = candidates(given.bits[place], tables.bits[cells], k)
    if not len(chosen):
        return
    parts = [tables.statistics[cells[int(each)]] for each in chosen]
    if number := isolating_union(given.statistics[place], parts, k):
        yield _isolation("union", number, [given.statistics[place], *parts], new)


def _isolation(kind: str, units: int, parts: list[Statistic], new: CellContents) -> Isolation:
    return Isolation(kind, units, _cells(parts, new), any(each.table != NEW for each in parts))


def _cells(parts: list[Statistic], new: CellContents) -> tuple[int, ...]:
    """The cells of the new table among these; all of them for the whole."""
    cells: set[int] = set()
    for each in parts:
        if each.table == NEW:
            cells |= set(range(new.count)) if each.cell == WHOLE else {each.cell}
    return tuple(sorted(cells))


def _different(statistics: list[Statistic]) -> list[Statistic]:
    return list({each.fingerprint: each for each in statistics}.values())
