"""The tables that have left or may still leave (历史出域表), with which each new parcel is compared.

Tables of parcels are read again from the stored bytes; tables of ``lab.table`` from their seals. A table of a project
in which the author never was is named by its parcel alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from credit.errors import CreditError
from credit.seal import Kind
from credit.shelf import Shelf
from lab.airlock.checks.differencing import LocatedTable
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.gate import tables_in
from lab.airlock.issue import Issue
from lab.airlock.kinds.tables.parquet_reading import read_parquet
from lab.airlock.kinds.tables.table_format import TableFormat
from lab.airlock.parcel_context import FileDescription
from lab.airlock.review.compared_parcels import ComparedPeople
from lab.airlock.review.parcel_store import ParcelStore
from lab.airlock.review.petition import Petition
from lab.airlock.table_parcel import LIMITS, TABLE_FILE
from lab.airlock.thresholds import Thresholds, load

ANOTHER_PROJECTS = "a table of another project"
CACHED = 1024  # files; more than are compared, since a smaller cache keeps none of a longer row of them


def earlier_tables(
    petitions: Iterable[Petition], store: ParcelStore, thresholds: Thresholds, people: ComparedPeople
) -> list[LocatedTable]:
    """Every table of these petitions, read again from the stored bytes.

    Raises :class:`~credit.errors.Broken` when stored bytes were changed, since the comparison would be incomplete.
    """
    located = []
    for petition in petitions:
        for name, listed in petition.files.items():
            if listed.kind in ("png", "jpeg", "model", "version"):
                continue
            about = petition.context.files[name]
            tables = _tables(name, store.get(listed.digest), about)
            shown = name if people.may_name(petition) else ANOTHER_PROJECTS
            located += [LocatedTable(petition.id, shown, case) for case in tables]
    return located


def tables_by_units(shelf: Shelf, people: ComparedPeople) -> list[LocatedTable]:
    """The tables that compute made for these projects and this author: its units are judged, and it may leave."""
    located = []
    for seal in shelf.list(Kind.TABLE):
        terms = seal.terms
        if terms.get("project") in people.related or terms.get("author") == people.author:
            try:
                opened = shelf.open(seal.id)
            except CreditError:  # swept, or over: what left is compared as a parcel
                continue
            case = _sealed_table(opened.path / TABLE_FILE)
            if case is not None:
                shown = seal.short if terms.get("project") in people.own else ANOTHER_PROJECTS
                located.append(LocatedTable(seal.short, shown, case))
    return located


@lru_cache(maxsize=CACHED)
def _tables(name: str, content: bytes, about: FileDescription) -> tuple[TableCase, ...]:
    return tables_in(name, content, about, load())


@lru_cache(maxsize=CACHED)
def _sealed_table(path: Path) -> TableCase | None:
    """The table of a verified seal, whose folder is named by its digest; None for one that no parcel could hold."""
    read = TableFormat(read_parquet).read(path.read_bytes(), LIMITS)
    return None if isinstance(read, Issue) else TableCase(read.model.grid, FileDescription("a table of lab.table"))
