"""The tables a project has carried out or is asking for (历史出域表): what each new parcel is held against."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from lab.airlock.checks.differencing import LocatedTable
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.gate import tables_in
from lab.airlock.parcel_context import FileDescription
from lab.airlock.review.parcel_store import ParcelStore
from lab.airlock.review.petition import Petition
from lab.airlock.thresholds import Thresholds, load


def earlier_tables(petitions: Iterable[Petition], store: ParcelStore, thresholds: Thresholds) -> list[LocatedTable]:
    """Every table of these petitions, read anew from the bytes that were kept.

    Raises :class:`~credit.errors.Broken` when they were changed: without them nobody can say what is outside already.
    """
    located = []
    for petition in petitions:
        for name, listed in petition.files.items():
            if listed.kind in ("png", "jpeg", "svg", "model", "version"):
                continue
            about = petition.context.files[name]
            tables = _tables(name, store.get(listed.digest), about)
            located += [LocatedTable(petition.id, name, case) for case in tables]
    return located


@lru_cache(maxsize=256)
def _tables(name: str, content: bytes, about: FileDescription) -> tuple[TableCase, ...]:
    return tables_in(name, content, about, load())
