"""What the seal of a parcel will say (封签内容), line by line: nothing is signed that was not shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from credit.errors import Lapsed, Missing
from credit.shelf import Shelf
from lab.airlock.review.petition import Petition
from lab.airlock.review.sealing import is_invented, parcel_terms


def manifest_lines(petition: Petition, shelf: Shelf) -> list[tuple[str, str]]:
    """Each value of the seal's terms with its place, as ``context.files.bands.csv.subjects``, and the sources' ids.

    The thresholds are left out, since the page lists them beside the findings.
    """
    try:
        sources = [shelf.open(name, deep=False).seal for name in petition.context.releases]
        invented = is_invented(sources)
    except (Missing, Lapsed):  # then the parcel is not sealed either
        invented = False
    terms = parcel_terms(petition, invented=invented)
    return list(_lines({name: value for name, value in terms.items() if name != "thresholds"}, ""))


def _lines(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list | tuple) and not value:
        yield place, "–"
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _lines(each, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value, start=1):
            yield from _lines(each, f"{place} {number}")
    else:
        yield place, str(value)
