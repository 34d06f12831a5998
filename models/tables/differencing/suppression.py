"""Which cells of a table are published: unsafe ones are suppressed, and others with them as far as is needed.

Primary suppression takes the cells that break a rule by themselves. Secondary suppression then takes the smallest cell
of every combination that would isolate a few units, until there is none. A table that hides a few units in what it
suppresses altogether loses one more cell, since its total may be known to anyone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.tables.cells.contents import CellContents
from models.tables.cells.rules import RULES, Mask
from models.tables.differencing.isolation import EarlierUnits, isolations
from models.tables.policy import TablePolicy

ROUNDS = 60
ReportRound = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """Which cells (C,) are published, and how many were suppressed for which reason."""

    kept: Mask
    reasons: dict[str, int]
    share: float  # of the units of all cells that keep the rules by themselves

    @property
    def count(self) -> int:
        """The number of published cells."""
        return int(self.kept.sum())


def published(
    contents: CellContents,
    earlier: EarlierUnits,
    policy: TablePolicy,
    progress: ReportRound,
    unsafe: Mask | None = None,
) -> Published:
    """The cells that may be published together, beside all that was given ``earlier``.

    ``unsafe`` (C,) are cells that break a rule that the contents alone do not show.
    """
    kept = np.ones(contents.count, dtype=np.bool_)
    reasons: dict[str, int] = {}
    for name, rule in RULES.items():
        broken = rule(contents, policy) & kept
        reasons[name] = int(broken.sum())
        kept &= ~broken
    if unsafe is not None:
        reasons["quantiles"] = int((unsafe & kept).sum())
        kept &= ~unsafe
    enough = contents.sizes >= policy.units_at_least
    possible = int(contents.sizes[enough].sum())
    before = int(kept.sum())
    for number in range(ROUNDS):
        progress(number, ROUNDS)
        kept = complemented(contents, kept, policy.units_at_least)
        chosen = _isolating(contents, kept, earlier, policy.units_at_least)
        if not chosen:
            break
        kept[list(chosen)] = False
    else:
        kept[:] = False
    reasons["secondary"] = before - int(kept.sum())
    share = float(contents.sizes[kept].sum() / possible) if possible else 0.0
    return Published(kept, reasons, share)


def complemented(contents: CellContents, kept: Mask, k: int) -> Mask:
    """The mask with further cells suppressed, the smallest first, until no unit or at least k are in those."""
    kept = kept.copy()
    while kept.any() and not kept.all() and hidden_units(contents, kept) < k:
        kept[_smallest(contents, np.flatnonzero(kept))] = False
    return kept


def hidden_units(contents: CellContents, kept: Mask) -> int:
    """How many units stand in the suppressed cells together."""
    return len(np.unique(contents.members[~kept[contents.cells]]))


def _isolating(contents: CellContents, kept: Mask, earlier: EarlierUnits, k: int) -> set[int]:
    """One cell, the smallest, of each combination that isolates a few units; of several with a common cell that one."""
    places = np.flatnonzero(kept)
    chosen: set[int] = set()
    if not len(places):
        return chosen
    for each in isolations(contents.where(kept), earlier, k):
        cells = places[list(each.cells)]
        if not chosen & set(cells.tolist()):
            chosen.add(_smallest(contents, cells))
    return chosen


def _smallest(contents: CellContents, cells: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    return int(cells[np.argmin(contents.sizes[cells])])
