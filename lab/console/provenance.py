"""What stands behind a parcel (来龙去脉): what its project carried out before, and the cells executed for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from credit.ledger import Entry
from lab.airlock.review.petition import Petition
from lab.airlock.review.states import LEFT_OR_PENDING
from lab.console.app_state import Room
from lab.console.ledgers.ledger_index import Search

CELLS = 20  # the newest before the parcel was submitted
LINES = 200  # shown of one cell
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Cell:
    """An executed cell: ``code`` is empty when it is not kept any more."""

    seq: int
    at: datetime
    tables: tuple[str, ...]
    code: str


@dataclass(frozen=True, slots=True)
class Behind:
    """The newest cells, how many there are in all, and the query of the ledger that shows them."""

    cells: list[Cell]
    count: int
    query: str


def order_of(petition: Petition, others: Sequence[Petition]) -> list[Petition]:
    """What the project carried out or was asking for when this one was submitted, the newest first."""
    found = [each for each in others if each.id != petition.id and each.submitted_at < petition.submitted_at]
    return [each for each in reversed(found) if each.state in LEFT_OR_PENDING]


def cells_behind(room: Room, petition: Petition) -> Behind:
    """The cells the author executed on this project before they submitted."""
    project = f'"project":"{petition.project}"'
    asked = Search(by=str(petition.author), verb="cell.executed", text=project)
    submitted = room.research.find(Search(object=petition.id, verb="parcel.submitted"), limit=1)
    before = submitted[0] if submitted else 0
    found = []
    for entry in room.research.read(room.research.find(asked, before=before, limit=CELLS)):
        code = _code(room, str(entry.because.get("code", "")))
        found.append(Cell(entry.seq, entry.at, _tables(room, entry, petition.project), code))
    return Behind(found, room.research.count(asked, before=before), urlencode(asked.asked()))


def _tables(room: Room, entry: Entry, project: str) -> tuple[str, ...]:
    """The tables that the server says of a cell, and those the gateway saw this code read on this project."""
    reads = room.research.told("cell.read", object=entry.object)
    read = {name for each in reads if each.because.get("project") == project for name in each.because.get("tables", ())}
    return tuple(sorted({*map(str, entry.because.get("tables", ())), *map(str, read)}))


def _code(room: Room, name: str) -> str:
    path = room.settings.airlock / "cells" / name
    if not _DIGEST.fullmatch(name) or not path.is_file():
        return ""
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return "\n".join(lines[:LINES] + (["…"] if len(lines) > LINES else []))
