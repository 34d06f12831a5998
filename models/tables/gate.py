"""The gate of tables: what is published is judged again, by every rule and against everything that was given before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.gate import Finding, Gate, Outcome
from credit.messages import Text
from models.tables.cells.contents import CellContents
from models.tables.cells.rules import RULES
from models.tables.differencing.isolation import EarlierUnits, isolations
from models.tables.differencing.suppression import Published, hidden_units
from models.tables.policy import TablePolicy
from privacy.disclosure import PSEUDONYM, identifiers

Thresholds = Mapping[str, Any]
REASONS = (*RULES, "quantiles", "secondary")


@dataclass(frozen=True, slots=True, eq=False)
class TableCase:
    """A table before the gate: all its cells with their labels, which of them are published, and what was given
    ``earlier`` (``earlier_count`` tables)."""

    contents: CellContents
    labels: list[tuple[str | None, ...]]
    shown: Published
    earlier: EarlierUnits
    earlier_count: int
    policy: TablePolicy

    @property
    def published(self) -> CellContents:
        """The contents of the published cells."""
        return self.contents.where(self.shown.kept)


def size(case: TableCase, thresholds: Thresholds) -> Finding:
    """There is something to publish, and not too many cells of it."""
    evidence = {"cells": case.contents.count, "published": case.shown.count}
    right = case.shown.count > 0 and case.contents.count <= thresholds["cells_at_most"]
    reasons = {name: case.shown.reasons.get(name, 0) for name in REASONS}
    return finding_of("size", right, Text.of("tables-gate.size", **evidence, **reasons), evidence | reasons)


def cells(case: TableCase, thresholds: Thresholds) -> Finding:
    """Every published cell keeps the rules of cells: units, dominance, zeros and values that all share."""
    published = case.published
    broken = {name: int(rule(published, case.policy).sum()) for name, rule in RULES.items()}
    evidence = {"broken": broken, "suppressed": case.shown.reasons}
    why = Text.of("tables-gate.cells", k=thresholds["units_at_least"], suppressed=sum(case.shown.reasons.values()))
    return finding_of("cells", not any(broken.values()), why, evidence)


def differencing(case: TableCase, thresholds: Thresholds) -> Finding:
    """Nothing that was given isolates fewer than k units: pairs, a cell and a union of cells, chains of three."""
    kinds: dict[str, int] = {}
    for each in isolations(case.published, case.earlier, thresholds["units_at_least"]):
        kinds[each.kind] = kinds.get(each.kind, 0) + 1
    evidence = {"isolating": kinds, "earlier_tables": case.earlier_count}
    why = Text.of("tables-gate.differencing", isolating=sum(kinds.values()), earlier=case.earlier_count)
    return finding_of("differencing", not kinds, why, evidence)


def suppressed_together(case: TableCase, thresholds: Thresholds) -> Finding:
    """The suppressed cells together have no unit or at least k: a total that everyone knows would show fewer."""
    hidden = hidden_units(case.contents, case.shown.kept)
    right = hidden == 0 or hidden >= thresholds["units_at_least"] or not case.shown.count
    return finding_of("suppressed", right, Text.of("tables-gate.suppressed"), {"some": hidden > 0})


def coverage(case: TableCase, thresholds: Thresholds) -> Finding:
    """Enough of the table is left for it to say something."""
    share = round(case.shown.share, 3)
    right = share >= thresholds["published_share_at_least"]
    return finding_of("coverage", right, Text.of("tables-gate.coverage", share=f"{share:.0%}"), {"share": share})


def labels(case: TableCase, thresholds: Thresholds) -> Finding:
    """No label of a group is a pseudonym, a code, an identity number or a telephone number."""
    return identifying_labels(case.labels, case.shown.kept)


def identifying_labels(labels: Sequence[tuple[str | None, ...]], kept: NDArray[np.bool_]) -> Finding:
    """The finding on the labels of the cells that are shown, of all C."""
    texts = [text for cell in np.flatnonzero(kept) for text in labels[int(cell)] if text is not None]
    identifying = dict(identifiers(texts))
    if named := sum(PSEUDONYM.fullmatch(text) is not None for text in texts):
        identifying["pseudonym"] = named
    return finding_of("labels", not identifying, Text.of("tables-gate.labels"), identifying)


CHECKS = (size, cells, differencing, suppressed_together, coverage, labels)


def table_gate(policy: TablePolicy) -> Gate[TableCase]:
    """The gate with the thresholds of a policy."""
    return Gate("table", CHECKS, policy.thresholds)


def finding_of(check: str, right: bool, why: Text, evidence: Mapping[str, Any]) -> Finding:
    """PASS or FAIL of a check."""
    return Finding.of(check, Outcome.PASS if right else Outcome.FAIL, why, evidence)
