"""The statistics that someone has been given: for each, the units behind it as bits, and what each contributes.

Every cell of a table gives one statistic a contribution, and so does the union of all its cells, which anyone can add
up. Bits are plain packed words: a table of N statistics over U units is a matrix (N, U / 64), and a distance from one
statistic to all others is one exclusive-or and one count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.tables.cells.contents import CellContents, Contribution, Floats, Numbers

Bits = NDArray[np.uint64]
WHOLE = -1  # the union of all cells of a table


@dataclass(frozen=True, slots=True, eq=False)
class Statistic:
    """One given statistic: its table and cell, the places (n,) of its units, ascending, and their values (n, 2).

    The second value is the weight; 0 throughout where the statistic has none.
    """

    table: int
    name: str
    cell: int
    units: Numbers
    values: Floats
    weighted: bool

    @property
    def fingerprint(self) -> bytes:
        """The same for two statistics of the same units and contributions, whatever they are called."""
        return self.units.tobytes() + self.values.tobytes() + bytes([self.weighted])


class GivenStatistics:
    """N statistics over a universe of units; ``bits`` (N, words) are the units behind each."""

    def __init__(self, statistics: list[Statistic], universe: int) -> None:
        self.statistics = statistics
        self.words = (universe + 63) // 64
        self.bits = np.zeros((len(statistics), self.words), dtype=np.uint64)
        for place, each in enumerate(statistics):
            self.bits[place] = bits_of(each.units, self.words)
        self.sizes = np.array([len(each.units) for each in statistics], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.statistics)

    def joined(self, other: GivenStatistics) -> GivenStatistics:
        """These statistics and then the others, over one universe."""
        both = GivenStatistics([], 64 * self.words)
        both.statistics = self.statistics + other.statistics
        both.bits = np.concatenate([self.bits, other.bits])
        both.sizes = np.concatenate([self.sizes, other.sizes])
        return both

    def groups(self) -> Iterator[tuple[tuple[int, str], list[int]]]:
        """For each table and name the places of its cells, without the whole."""
        grouped: dict[tuple[int, str], list[int]] = {}
        for place, each in enumerate(self.statistics):
            if each.cell != WHOLE:
                grouped.setdefault((each.table, each.name), []).append(place)
        yield from grouped.items()


def bits_of(units: Numbers, words: int) -> Bits:
    """The places of units as packed bits (words,)."""
    flags = np.zeros(words * 64, dtype=np.uint8)
    flags[units] = 1
    return np.packbits(flags, bitorder="little").view(np.uint64)


def count(bits: Bits) -> Numbers:
    """The number of units in each row of bits."""
    return np.asarray(np.bitwise_count(bits).sum(axis=-1, dtype=np.int64))


def universe_of(tables: Iterable[CellContents]) -> NDArray[np.uint64]:
    """All units of these tables, ascending."""
    every = [each.units for each in tables]
    return np.unique(np.concatenate(every)) if every else np.zeros(0, dtype=np.uint64)


def _given_away(contributions: Mapping[str, Contribution]) -> Iterator[tuple[str, Contribution]]:
    """The contributions, and of a mean also the sum that it gives away to a person who knows the number: a sum does not
    show units of the value 0, so the units of the two may be far apart while all values are the same."""
    for name, each in contributions.items():
        yield name, each
        if each.weights is not None:
            yield f"{name}, the sum", Contribution(each.values)


def statistics_of(contents: CellContents, universe: NDArray[np.uint64], table: int) -> list[Statistic]:
    """The statistics that a table gives: each of its cells, and all of them together."""
    places = np.searchsorted(universe, contents.units).astype(np.int64)
    made = []
    for own, whole in ((contents, False), (contents.whole(), True)):
        borders = np.searchsorted(own.cells, np.arange(own.count + 1))
        for name, each in _given_away(own.contributions):
            present = each.present
            weights = np.zeros_like(each.values) if each.weights is None else each.weights
            values = np.stack([each.values, weights], axis=1)
            for cell in range(own.count):
                chosen = np.arange(borders[cell], borders[cell + 1])
                chosen = chosen[present[chosen]]
                units = places[own.members[chosen]]
                made.append(
                    Statistic(table, name, WHOLE if whole else cell, units, values[chosen], each.weights is not None)
                )
    return [each for each in made if len(each.units)]
