"""Where a parcel comes from (来源): earlier parcels of its project, and the notebook cells executed before it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from credit.ledger import Entry
from lab.airlock.review.petition import Petition
from lab.airlock.review.states import LEFT_OR_PENDING
from lab.console.app_state import AppState
from lab.console.ledgers.ledger_index import LedgerSearch
from lab.settings import KEPT_FILE, PACKED

CELLS_SHOWN = 20  # the newest cells before the parcel was submitted
LINES_SHOWN = 200  # lines of one cell that are shown
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ExecutedCell:
    """An executed cell and the tables it read. ``code`` is empty when the code is no longer stored."""

    seq: int
    at: datetime
    tables: tuple[str, ...]
    code: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """The newest cells, their total number, and the query of the ledger page that lists all of them."""

    cells: list[ExecutedCell]
    count: int
    query: str


def earlier_petitions(petition: Petition, others: Sequence[Petition]) -> list[Petition]:
    """The project's parcels that had left or were pending when this one was submitted, the newest first."""
    earlier = [each for each in others if each.id != petition.id and each.submitted_at < petition.submitted_at]
    return [each for each in reversed(earlier) if each.state in LEFT_OR_PENDING]


def provenance_of(app_state: AppState, petition: Petition) -> Provenance:
    """The cells that the author executed on this project before submitting the parcel."""
    project = f'"project":"{petition.project}"'
    search = LedgerSearch(by=str(petition.author), verb="cell.executed", text=project)
    submitted = app_state.research.find(LedgerSearch(object=petition.id, verb="parcel.submitted"), limit=1)
    before = submitted[0] if submitted else 0
    cells = []
    for entry in app_state.research.read(app_state.research.find(search, before=before, limit=CELLS_SHOWN)):
        code = _code(app_state, str(entry.details.get("code", "")))
        cells.append(ExecutedCell(entry.seq, entry.at, _tables(app_state, entry, petition.project), code))
    return Provenance(cells, app_state.research.count(search, before=before), urlencode(search.as_query()))


def _tables(app_state: AppState, entry: Entry, project: str) -> tuple[str, ...]:
    """Tables recorded with the cell, and tables that the gateway saw the same code read on this project."""
    read_entries = app_state.research.entries("cell.read", object=entry.object)
    tables_read = {
        name
        for each in read_entries
        if each.details.get("project") == project
        for name in each.details.get("tables", ())
    }
    return tuple(sorted({*map(str, entry.details.get("tables", ())), *map(str, tables_read)}))


def _code(app_state: AppState, name: str) -> str:
    path = app_state.settings.airlock / "cells" / name
    packed = path.with_name(f"{name}{PACKED}")
    if not _DIGEST.fullmatch(name) or not (path.is_file() or packed.is_file()):
        return ""
    code = path.read_bytes() if path.is_file() else zlib.decompressobj().decompress(packed.read_bytes(), KEPT_FILE)
    lines = code.decode("utf-8", "replace").split("\n")
    return "\n".join(lines[:LINES_SHOWN] + (["…"] if len(lines) > LINES_SHOWN else []))
