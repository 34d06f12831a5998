"""Read records (读取记录): the trusted server reports which tables a cell has read, with their digests."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request

from credit.canonical import digest_json
from credit.errors import Malformed
from credit.seal import Seal
from lab.gateway.identity import Admitted, Principal
from lab.gateway.request_bodies import read_json, text_of
from lab.gateway.research_zone import ResearchZone

TABLES = 200
WITNESSES = ("machine", "kernel")  # the source: the monitor of the machine, or the kernel where there is no monitor
_DIGEST = re.compile(r"[0-9a-f]{64}")
router = APIRouter()


def digests(release: Seal, tables: list[str]) -> dict[str, str]:
    """The digest of each table: of the digests of its files by name, from the release's signed manifest."""
    files = {
        table: {name: code for name, code in release.files.items() if name.startswith(f"{table}/")} for table in tables
    }
    return {table: digest_json(of_table) for table, of_table in files.items() if of_table}


def record_read(zone: ResearchZone, principal: Principal, data: dict[str, Any]) -> None:
    """Append ``cell.read`` to the research ledger."""
    release = zone.release(data["release"]).seal
    details = {
        "project": principal.workspace.project,
        "kernel": data["kernel"],
        "release": release.id,
        "tables": digests(release, data["tables"]),
        "witness": data["witness"],
    }
    zone.ledger.append("cell.read", f"cell-{data['code']}", by=principal.actor, details=details)


@router.post("/v1/reads", status_code=201)
async def read(request: Request, who: Admitted) -> dict[str, int]:
    """``{"kernel", "code": digest, "tables": […], "witness", "release"?}``; returns the number of tables recorded."""
    principal, _ = who
    data = await read_json(request, 64 * 1024)
    if not isinstance(data, dict):
        raise Malformed("read-log.reading-cannot-be-read")
    tables = data.get("tables")
    if not isinstance(tables, list) or len(tables) > TABLES or not all(isinstance(name, str) for name in tables):
        raise Malformed("read-log.tables-reading-cannot-be-read", tables=TABLES)
    read_record: dict[str, Any] = {
        "kernel": text_of(data, "kernel", most=64),
        "code": text_of(data, "code", most=64),
        "tables": sorted(set(tables)),
        "witness": data.get("witness"),
        "release": str(data.get("release", ""))[:80],
    }
    if not _DIGEST.fullmatch(read_record["code"]) or read_record["witness"] not in WITNESSES:
        raise Malformed("read-log.reading-cannot-be-read-names-digest-cell")
    await principal.run_blocking(record_read, request.app.state.zone, principal, read_record)
    return {"tables": len(read_record["tables"])}
