"""Read records (读取记录): the tables and rows that a cell has read, with their digests.

Here the workspace's server passes on what a kernel reports of itself, where the machine has no monitor. What the
machine sees comes from the hub (:mod:`lab.gateway.endpoints.machine_log`).
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

from fastapi import APIRouter, Request

from credit.canonical import digest_json
from credit.errors import Malformed, Missing
from credit.seal import Seal
from lab.gateway.identity import Admitted, Principal
from lab.gateway.request_bodies import DIGEST, read_json, text_of
from lab.gateway.research_zone import ResearchZone

TABLES = 200
_ROWS = re.compile(r"rows-[0-9a-f]{64}")
router = APIRouter()


def digests(practice: Seal, tables: list[str]) -> dict[str, str]:
    """The digest of each table: of the digests of its files by name, from the signed manifest."""
    files = {
        table: {name: code for name, code in practice.files.items() if name.startswith(f"{table}/")} for table in tables
    }
    return {table: digest_json(of_table) for table, of_table in files.items() if of_table}


def digests_of_rows(zone: ResearchZone, project: str, rows: list[str]) -> dict[str, str]:
    """The digest of each ROWS seal's file; what the project has not, which only a kernel reports, is left out."""
    digest_by_seal = {}
    for name in rows:
        with contextlib.suppress(Missing):
            seal = zone.shelf.open(name, deep=False).seal
            if seal.terms["project"] == project:
                digest_by_seal[seal.id] = digest_json(dict(seal.files))
    return digest_by_seal


def read_details(zone: ResearchZone, project: str, names: list[str], practice: str) -> dict[str, Any]:
    """The details of an entry about tables and rows with these names: their seals and digests."""
    rows = [name for name in names if _ROWS.fullmatch(name)]
    details: dict[str, Any] = {}
    if tables := [name for name in names if name not in rows]:
        seal = zone.practice(practice).seal
        details |= {"practice": seal.id, "tables": digests(seal, tables)}
    if rows:
        details["rows"] = digests_of_rows(zone, project, rows)
    return details


def table_names(data: dict[str, Any]) -> list[str]:
    """The names under ``tables``, each once and sorted; raises :class:`Malformed` for what is no short list of them."""
    tables = data.get("tables")
    if not isinstance(tables, list) or len(tables) > TABLES or not all(isinstance(name, str) for name in tables):
        raise Malformed("read-log.tables-reading-cannot-be-read", tables=TABLES)
    return sorted(set(tables))


def record_read(zone: ResearchZone, principal: Principal, data: dict[str, Any]) -> None:
    """Append ``cell.read`` to the research ledger."""
    project = principal.workspace.project
    details: dict[str, Any] = {"project": project, "kernel": data["kernel"], "witness": "kernel"}
    details |= read_details(zone, project, data["tables"], data["practice"])
    zone.ledger.append("cell.read", f"cell-{data['code']}", by=principal.actor, details=details)


@router.post("/v1/reads", status_code=201)
async def read(request: Request, who: Admitted) -> dict[str, int]:
    """``{"kernel", "code": digest, "tables": […], "practice"?}``; returns the number of tables recorded."""
    principal, _ = who
    data = await read_json(request, 64 * 1024)
    if not isinstance(data, dict):
        raise Malformed("read-log.reading-cannot-be-read")
    read_record: dict[str, Any] = {
        "kernel": text_of(data, "kernel", most=64),
        "code": text_of(data, "code", most=64),
        "tables": table_names(data),
        "practice": str(data.get("practice", ""))[:80],
    }
    if not DIGEST.fullmatch(read_record["code"]):
        raise Malformed("read-log.reading-cannot-be-read-names-digest-cell")
    await principal.run_blocking(record_read, request.app.state.zone, principal, read_record)
    return {"tables": len(read_record["tables"])}
