"""Parts of the evidence that describe too few subjects are merged with their neighbours before they leave compute.

A part (a bin, a step of a curve, a grade, a group) has at least ``evidence_subjects`` subjects, and at least
``evidence_defaulted`` subjects of either outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.privacy.floors import PrivacyFloors

Parts = NDArray[Any]
OTHERS = "others"


def merge_neighbours(parts: Parts, labels: NDArray[Any], units: NDArray[Any], floors: PrivacyFloors) -> Parts:
    """The merged part (n,), numbered from 0 without gaps, of rows in ordered ``parts`` (n,).

    ``labels`` (n,) are 0/1 and ``units`` (n,) the subjects. What is left at the end goes to the part before it; when
    the whole is too small there is one part.
    """
    order = np.argsort(parts, kind="stable")
    ends = np.flatnonzero(np.diff(parts[order])) + 1
    merged = np.zeros(len(parts), dtype=np.int64)
    number, open_rows = 0, list[NDArray[np.int64]]()
    for rows in np.split(order, ends):
        open_rows.append(rows)
        together = np.concatenate(open_rows)
        merged[together] = number
        if is_large_enough(labels[together], units[together], floors):
            number, open_rows = number + 1, []
    if open_rows and number:
        merged[merged == number] = number - 1
    return merged


def merge_bins(bins: Parts, period: NDArray[np.bool_], units: NDArray[Any], least: int) -> Parts:
    """The bin (n,) of rows in ordered ``bins`` (n,), of which each has no subject of a period, or at least ``least``.

    A bin with fewer joins the one before it, the first the one after it. ``period`` (n,) is True for the second of two.
    """
    merged, units = np.asarray(bins).copy(), np.unique(units, return_inverse=True)[1]
    while len(numbers := np.unique(merged)) > 1:
        subjects = [
            [len(np.unique(units[(merged == number) & (period == of)])) for of in (False, True)] for number in numbers
        ]
        small = [place for place, each in enumerate(subjects) if any(0 < count < least for count in each)]
        if not small:
            break
        place = small[-1]
        merged[merged == numbers[place]] = numbers[place - 1 if place else 1]
    return merged


def is_large_enough(labels: NDArray[Any], units: NDArray[Any], floors: PrivacyFloors) -> bool:
    """True for rows of enough subjects, and of enough subjects of either outcome."""
    if len(labels) < floors.evidence_subjects or len(np.unique(units)) < floors.evidence_subjects:
        return False
    return all(len(np.unique(units[labels == outcome])) >= floors.evidence_defaulted for outcome in (0, 1))


def merge_groups(
    groups: Mapping[str, NDArray[np.str_]],
    labels: NDArray[Any],
    units: NDArray[Any],
    floors: PrivacyFloors,
) -> dict[str, NDArray[np.str_]]:
    """Groups (n,) by kind; those too small are one group of others, with the smallest of the rest until it is large
    enough."""
    merged = {}
    for kind, values in groups.items():
        names, counts = np.unique(np.asarray(values, dtype=np.str_), return_counts=True)
        by_size = names[np.argsort(counts, kind="stable")].tolist()
        small = [name for name in by_size if not _group_is_large(name, values, labels, units, floors)]
        rest = [name for name in by_size if name not in small]
        while small and rest:
            others = np.isin(values, small)
            if is_large_enough(labels[others], units[others], floors):
                break
            small.append(rest.pop(0))
        merged[kind] = np.where(np.isin(values, small), OTHERS, values) if small else values
    return merged


def _group_is_large(
    name: str, values: NDArray[np.str_], labels: NDArray[Any], units: NDArray[Any], floors: PrivacyFloors
) -> bool:
    member = values == name
    return is_large_enough(labels[member], units[member], floors)


def merge_counts(counts: NDArray[np.int64], least: int) -> list[int]:
    """Counts in ordered bins, of which every one is 0 or at least ``least``; their sum is kept."""
    merged, carried, last = [0] * len(counts), 0, -1
    for place, count in enumerate(counts.tolist()):
        carried += count
        if carried >= least:
            merged[place], carried, last = carried, 0, place
    if carried:
        merged[last if last >= 0 else int(np.argmax(counts))] += carried
    return merged
