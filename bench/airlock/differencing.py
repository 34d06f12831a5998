"""Differencing of submitted files: how many pairs that differ in one unit were tried, and how many gave it away.

A pair counts as isolated when the gate says nothing of it (neither FAIL nor REVIEW of its check of differencing) and
the value of the one unit follows to within 1 %.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

from bench.airlock.differencing_tricks import (
    FORMS,
    PRECISE_ROUNDINGS,
    ROUNDINGS,
    SCALES,
    STATISTICS,
    TITLES,
    Column,
    Units,
    is_computed,
    renamed,
    statistic,
    unit_bounds,
    written,
)
from bench.record import record
from credit.gate import Outcome
from lab.airlock.checks.differencing import LocatedTable
from lab.airlock.gate import judge_parcel, tables_in
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.thresholds import load

PAIRS, SEED = 1200, 20261201
DATA = "invented units, one left out of the second file"


@dataclass(frozen=True, slots=True)
class TriedPair:
    """A pair of files: what was done, the gate's outcome of differencing, and whether the unit follows from it."""

    trick: str
    outcome: Outcome
    computed: bool


def differencing_tried() -> None:
    """Pairs tried; by the gate's outcome, and how many of them give the unit away to who has both files."""
    pairs = list(tried())
    outcomes = Counter(each.outcome.value for each in pairs)
    more = {"outcomes": dict(outcomes), "computed": sum(each.computed for each in pairs), "seed": SEED}
    record("differencing_tried", len(pairs), "pairs", goal=1000, data=DATA, more=more)


def differencing_isolated() -> None:
    """Pairs that passed and give the unit away."""
    isolated = [each.trick for each in tried() if each.outcome is Outcome.PASS and each.computed]
    record("differencing_isolated", len(isolated), "pairs", goal=0, data=DATA, more={"tricks": isolated[:10]})


def differencing_honest_failed() -> None:
    """Share of pairs of ordinary tables, of groups with nothing in common, that fail; the rest pass or go to review."""
    outcomes = Counter(each.value for each in honest())
    share = outcomes["fail"] / outcomes.total()
    record("differencing_honest_failed", share, "share", goal=0.01, data="unrelated tables", more=dict(outcomes))


def tried(pairs: int = PAIRS, seed: int = SEED) -> Iterator[TriedPair]:
    """The first pairs of a seed that the gate can read; what it stops for another reason is tried all the same."""
    readable = (pair for number in count() if (pair := _tried(random.Random(f"{seed} {number}"))) is not None)
    return islice(readable, pairs)


def _tried(draw: random.Random) -> TriedPair | None:
    units, name = Units.draw(draw), draw.choice(STATISTICS)
    own = units.groups[units.left_out]
    groups = list(dict.fromkeys(units.groups)) if draw.random() < 0.6 else [own]
    precise = draw.random() < 0.7
    tricks, columns, files = [name], [], []
    for less_one in (False, True):
        scale_name = draw.choice(list(SCALES))
        rounding_name = draw.choice(PRECISE_ROUNDINGS if precise else list(ROUNDINGS))
        form, title, (scale, shift, sign) = draw.choice(FORMS), draw.choice(TITLES), SCALES[scale_name]
        values = [statistic(name, units.of_group(group, less_one=less_one)) for group in groups]
        column = Column(tuple(ROUNDINGS[rounding_name](value * scale + shift) + sign for value in values), scale, shift)
        tricks.append(f"{form}, {title}, {scale_name}, {rounding_name}")
        columns.append(column)
        files.append(written("second" if less_one else "first", form, renamed(draw, groups), column, title))
    row, n = groups.index(own), len(units.of_group(own, less_one=False))
    bounds = unit_bounds(name, columns[0].interval(row), columns[1].interval(row), n)
    value = 1.0 if name == "count" else units.values[units.left_out]
    outcome = _outcome(files[1], files[0])
    computed = is_computed(bounds, value, name == "count")
    return None if outcome is None else TriedPair("; ".join(tricks), outcome, computed)


def honest(pairs: int = 400, seed: int = SEED) -> Iterator[Outcome]:
    """Outcomes of pairs of tables that describe other groups of other units."""
    for number in range(pairs):
        draw = random.Random(f"honest {seed} {number}")
        files = []
        for at, keys in enumerate((("east", "west", "north", "south", "centre"), ("small", "medium", "large", "none"))):
            name, rounded = draw.choice(STATISTICS), ROUNDINGS[draw.choice(list(ROUNDINGS))]
            groups = [[draw.lognormvariate(4, 1.2) for _ in range(draw.randint(40, 3000))] for _ in keys]
            column = Column(tuple(rounded(statistic(name, each)) for each in groups), 1.0, 0.0)
            files.append(written(f"table{at}", draw.choice(FORMS[:5]), keys, column, "n" if name == "count" else name))
        if (outcome := _outcome(files[1], files[0])) is not None:
            yield outcome


def _outcome(new: tuple[str, bytes], old: tuple[str, bytes]) -> Outcome | None:
    """What the check of differencing says of a file after another one; None where the gate reads one of them not."""
    about = FileDescription("values by group", "all firms", "by day", 100_000)
    earlier = [LocatedTable("petition-0", old[0], case) for case in tables_in(*old, about, load())]
    context = ParcelContext("Values", "a paper", {new[0]: about}, ("release-1",))
    judgement = judge_parcel({new[0]: new[1]}, context=context, earlier=earlier)
    if (not earlier and not old[0].endswith((".md", ".ipynb"))) or not judgement.leaving:
        return None
    outcomes = [each.outcome for each in judgement.verdict.findings if each.check == "differencing"]
    return max(outcomes, key=list(Outcome).index, default=Outcome.PASS)
