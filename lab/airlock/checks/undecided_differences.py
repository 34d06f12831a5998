"""Differences that are not decided here (无法判定的差分): exact values in two files, and no units to compare.

Whether two values differ in a few subjects follows from the subjects behind each, which a file does not show: columns
can be renamed, scaled, shifted and permuted, and populations moved a little. So exact values beside exact values are
left to the reviewers, with these words, unless nothing new is said or compute judged the units (``lab.table``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from credit.messages import Text
from lab.airlock.checks.differencing import LocatedTable
from lab.airlock.checks.exact_numbers import TRANSPOSED, WORDS, Fact, exact_facts
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.issue import PLACES_LISTED, Issue, review
from lab.airlock.thresholds import Thresholds


def facts_by_units(by_units: Iterable[TableCase], t: Thresholds) -> frozenset[Fact]:
    """The exact values of tables that compute judged by their units; they are gathered once for a parcel."""
    return frozenset().union(*(exact_facts(each, t["rounding_base"]) for each in by_units))


def is_undecided(new: LocatedTable, old: LocatedTable, of_units: Set[Fact], t: Thresholds) -> bool:
    """True when both have exact values and those of the new one are neither in the old one nor among ``of_units``."""
    base = t["rounding_base"]
    if any(each.case.grid.label.endswith(TRANSPOSED) for each in (new, old)):
        return False  # the table itself is compared
    in_one_file = (new.parcel, new.file) == (old.parcel, old.file)
    if in_one_file and WORDS in (new.case.grid.label, old.case.grid.label):
        return False  # a table and the words around it are read together
    facts = exact_facts(new.case, base)
    if not facts or facts <= of_units:
        return False
    earlier = exact_facts(old.case, base)
    return bool(earlier) and not facts <= earlier


def undecided_issue(new: LocatedTable, olds: Sequence[LocatedTable], t: Thresholds) -> Issue:
    """The review that a table needs because of others, which it names."""
    names = list(dict.fromkeys(each.where for each in olds))
    why = Text.of("airlock.differencing-undecided", table=names[0], more=len(names) - 1)
    return review(
        why, Text.of("airlock.differencing-undecided-fix", base=t["rounding_base"]),
        this=new.where, against=", ".join(names[:PLACES_LISTED]), tables=len(names),
    )  # fmt: skip
