"""Attacks on tables by a person who knows everything of a few firms except one value: requests that single them out.

Each attack is a trick and a target. A target is a condition that is true for fewer than k firms, found in the records
as an attacker who knows them would; a trick is up to three tables whose difference would be those firms.
What was given is evaluated apart from the gate: by trying every pair, with the scales and shifts of the tricks, every
single union of cells that is near a statistic, and every chain of three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from credit.actor import Actor, Role
from credit.shelf import OpenedSeal
from models.tables.cells.contents import CellContents
from models.tables.differencing.isolation import EarlierUnits
from models.tables.differencing.suppression import published
from models.tables.gate import TableCase, table_gate
from models.tables.maker import TableMaker
from models.tables.request import TableRequest
from models.tables.sealed_table import GATE

BORDER = 2012  # a year of registration with many firms on either side
SCALES, SHIFTS = (1.0, 1000.0), (0.0, 7.0)
_PENALTIES = (
    "SELECT subject, count(*) AS n, sum(fine) AS total, sum(fine) * 1000 AS mille, sum(fine) + 7 AS shifted "
    "FROM administrative_penalty GROUP BY subject"
)
BASE = f"FROM registration r JOIN ({_PENALTIES}) p USING (subject)"
ATTACKER = Actor("attacker", Role.RESEARCHER)
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Target:
    """Fewer than k firms: those registered in a year with so many penalties."""

    year: int
    number: int

    @property
    def sql(self) -> str:
        """The condition that is true for them."""
        return f"(year(registered_on) = {self.year} AND n = {self.number})"


@dataclass(frozen=True, slots=True)
class Attack:
    """Tables that are requested one after another, for one project."""

    trick: str
    tables: tuple[str, ...]


def tricks(target: Target) -> Iterator[Attack]:
    """Every trick on one target."""
    rest, early = f"WHERE NOT {target.sql}", f"year(registered_on) < {BORDER}"
    for statistic in (
        "count(*)",
        "count(DISTINCT subject)",
        "sum(total)",
        "avg(total)",
        "median(total)",
        "variance(total)",
        "stddev_pop(total)",
        "quantile_cont(total, 0.4)",
    ):
        yield Attack(f"less a few: {statistic}", (f"SELECT {statistic} {BASE}", f"SELECT {statistic} {BASE} {rest}"))
    yield Attack("less first", (f"SELECT count(*) {BASE} {rest}", f"SELECT count(*) {BASE}"))
    yield Attack("per mille", (f"SELECT sum(total) {BASE}", f"SELECT sum(mille) {BASE} {rest}"))
    yield Attack("shifted values", (f"SELECT sum(total) {BASE}", f"SELECT sum(shifted) {BASE} {rest}"))
    yield Attack("sum and mean", (f"SELECT sum(total), count(*) {BASE}", f"SELECT avg(total) {BASE} {rest}"))
    yield Attack("names", (f"SELECT count(*) AS firms {BASE}", f"SELECT count(*) AS others {BASE} {rest}"))
    bands = "SELECT CASE WHEN {0} THEN 1 ELSE 2 END AS band, count(*) {1} GROUP BY ALL"
    yield Attack("shifted bands", (bands.format(early, BASE), bands.format(f"{early} OR {target.sql}", BASE)))
    yield Attack("bands and a band", (bands.format(target.sql, BASE), f"SELECT count(*) {BASE}"))
    kept = f"CASE WHEN {target.sql} THEN 0 ELSE total END AS kept"
    marked = f"(SELECT subject, CASE WHEN {target.sql} THEN 1 ELSE 0 END AS flag, total, {kept} {BASE}) q"
    yield Attack("a flag", (f"SELECT count(*), sum(flag) FROM {marked}",))
    yield Attack("a mean flag", (f"SELECT count(*), avg(flag) FROM {marked}",))
    yield Attack("values set to zero", (f"SELECT sum(total) {BASE}", f"SELECT sum(kept) FROM {marked}"))
    parts = f"SELECT count(*) {BASE} {rest} AND {early}", f"SELECT count(*) {BASE} {rest} AND NOT {early}"
    yield Attack("total less two parts", (f"SELECT count(*) {BASE}", *parts))
    by_number = f"SELECT CASE WHEN n < 2 THEN 1 WHEN n < 3 THEN 2 ELSE 3 END AS band, count(*) {BASE}"
    yield Attack("cells and a total", (f"{by_number} GROUP BY ALL", f"SELECT count(*) {BASE} {rest}"))
    others = bands.format(early, f"{BASE} {rest}")
    yield Attack("cells of another grouping", (f"{by_number} GROUP BY ALL", others))


def records_less_one(target: Target, day: date) -> Attack:
    """All records, and all but those of one day of the target's firms: the same firms, other contributions."""
    rows = f"{BASE} JOIN administrative_penalty a USING (subject)"
    fewer = f"WHERE NOT ({target.sql} AND a.decided_on < DATE '{day}')"
    return Attack("records of a day", (f"SELECT count(*) {rows}", f"SELECT count(*) {rows} {fewer}"))


def targets(maker: TableMaker, release: OpenedSeal, day: date, most: int) -> list[Target]:
    """Targets on a release: the groups of fewer than k firms by year of registration and number of penalties."""
    sql = f"SELECT year(registered_on), n, count(*) {BASE} GROUP BY ALL"
    request = TableRequest("enterprise", sql, day)
    cells = maker.cells(maker.plan(request, release), request, release, _silent)
    small = np.flatnonzero(cells.contents.sizes < maker.policy.units_at_least)
    return [Target(int(str(cells.labels[cell][0])), int(str(cells.labels[cell][1]))) for cell in small][:most]


def given_of(maker: TableMaker, release: OpenedSeal, attack: Attack, day: date) -> list[CellContents]:
    """What an attack is given: the contents of the published cells of each table that passes the gate."""
    given: list[CellContents] = []
    for sql in attack.tables:
        request = TableRequest("enterprise", sql, day)
        cells = maker.cells(maker.plan(request, release), request, release, _silent)
        earlier = EarlierUnits(given, cells.contents)
        shown = published(cells.contents, earlier, maker.policy, lambda done, total: None)
        case = TableCase(cells.contents, cells.labels, shown, earlier, len(given), maker.policy)
        if table_gate(maker.policy).judge(case, requested_by=ATTACKER, reviewer=GATE).passed:
            given.append(cells.contents.where(shown.kept))
    return given


def isolated(given: list[CellContents], k: int) -> int:
    """How many combinations of what was given have from 1 to k - 1 units, tried one by one on whole vectors."""
    universe = np.unique(np.concatenate([each.units for each in given])) if given else np.zeros(0, dtype=np.uint64)
    tables = [_vectors(each, universe) for each in given]
    whole = [vector for cells in tables for vector in cells] + [sum(cells, 0 * cells[0]) for cells in tables]
    unions = [_nearest(cells, vector) for cells in tables for vector in whole]
    number = 0
    for first in whole:
        for second in (*whole, *unions):
            number += any(
                0 < np.count_nonzero(np.abs(first - scale * second - shift * (second != 0)) > 1e-6) < k
                for scale in SCALES
                for shift in SHIFTS
            )
    for first in whole:
        for second, third in combinations(whole, 2):
            number += bool(0 < np.count_nonzero(np.abs(first - second - third) > 1e-6) < k)
    return number


def _vectors(contents: CellContents, universe: NDArray[np.uint64]) -> list[Vector]:
    places = np.searchsorted(universe, contents.units)
    made = []
    for each in contents.contributions.values():
        for cell in range(contents.count):
            own = contents.cells == cell
            vector = np.zeros(len(universe))
            vector[places[contents.members[own]]] = each.values[own]
            made.append(vector)
    return made


def _nearest(cells: list[Vector], vector: Vector) -> Vector:
    """The union of those cells that have more units in common with a vector than apart from it."""
    near = [each for each in cells if np.count_nonzero((each != 0) & (vector != 0)) * 2 > np.count_nonzero(each)]
    return np.asarray(sum(near, np.zeros_like(vector)))


def _silent(label: str, done: int, total: int) -> None:
    """No progress is shown."""
