"""The tables that a project has carried out or has pending (历史出域表); each new parcel is compared with them."""

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
            located += [LocatedTable(petition.id, name, case) for case in tables]
    return located


@lru_cache(maxsize=256)
def _tables(name: str, content: bytes, about: FileDescription) -> tuple[TableCase, ...]:
    return tables_in(name, content, about, load())
