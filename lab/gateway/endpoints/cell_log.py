"""The log of executed cells (执行日志), from the trusted server: user, code and tables of each cell, never its output.

The code is stored under its digest for the reviewers, the ledger has the digest; both are on disk before the response.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request

from credit.canonical import digest
from credit.errors import Malformed
from credit.files import write_atomically
from credit.ledger import Ledger
from lab.gateway.error_responses import TooLarge
from lab.gateway.identity import Admitted, Principal
from lab.gateway.request_bodies import read_json, text_of

LONGEST = 1 << 20  # bytes of one cell
BATCH = 256  # cells per request
BODY = 8 << 20  # bytes
TABLES = 200
_KERNEL = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,62}")
router = APIRouter()


@dataclass(frozen=True, slots=True)
class ReportedCell:
    """One executed cell: kernel, code, and tables that it names."""

    kernel: str
    code: bytes
    tables: tuple[str, ...]

    @classmethod
    def parse(cls, data: Any) -> ReportedCell:
        """Read ``{"kernel", "code", "tables"?}``; raises :class:`Malformed`, :class:`TooLarge` above 1 MB of code."""
        if not isinstance(data, dict) or not data.keys() <= {"kernel", "code", "tables"}:
            raise Malformed("cell-log.cell-cannot-be-read")
        kernel = text_of(data, "kernel", most=64)
        try:
            code = text_of(data, "code", most=LONGEST * 2).encode()
        except UnicodeEncodeError as error:
            raise Malformed("cell-log.cell-code-not-text") from error
        tables = data.get("tables", [])
        if not _KERNEL.fullmatch(kernel):
            raise Malformed("cell-log.not-kernel-name")
        if len(code) > LONGEST:
            raise TooLarge("cell-log.cell-too-large", code_count=len(code), longest=LONGEST)
        if not isinstance(tables, list) or len(tables) > TABLES:
            raise Malformed("cell-log.tables-cell-cannot-be-read", tables=TABLES)
        if not all(isinstance(name, str) and _TABLE.fullmatch(name) for name in tables):
            raise Malformed("cell-log.tables-cell-cannot-be-read-name-table-expected")
        return cls(kernel, code, tuple(sorted(set(tables))))


def record_cells(cells: list[ReportedCell], principal: Principal, folder: Path, ledger: Ledger) -> list[str]:
    """Store the code of each cell, append one entry per cell, and return the digests.

    The code is stored before the entry that contains its digest.
    """
    names = [digest(cell.code) for cell in cells]
    for name, cell in zip(names, cells, strict=True):
        if not (folder / name).exists():
            write_atomically(folder / name, cell.code, mode=0o600)
    acts = []
    for name, cell in zip(names, cells, strict=True):
        details = {"project": principal.workspace.project, "kernel": cell.kernel, "code": name, "tables": cell.tables}
        acts.append(("cell.executed", f"cell-{name}", principal.actor, details))
    ledger.append_many(acts)
    return names


@router.post("/v1/cells", status_code=201)
async def executed(request: Request, who: Admitted) -> dict[str, list[str]]:
    """Record one cell or a list of cells; returns the digests of their code in the same order."""
    principal, _ = who
    data = await read_json(request, BODY)
    batch = data if isinstance(data, list) else [data]
    if not 0 < len(batch) <= BATCH:
        raise Malformed("cell-log.no-cells-or-too-many", batch_count=len(batch), batch=BATCH)
    cells = [ReportedCell.parse(each) for each in batch]
    zone = request.app.state.zone
    return {
        "cells": await principal.run_blocking(
            record_cells, cells, principal, zone.settings.airlock / "cells", zone.ledger
        )
    }
