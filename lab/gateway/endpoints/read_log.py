"""What a cell read (读取记录): told by the trusted server when a cell has ended, with the digests of the tables."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request

from credit.canonical import digest_json
from credit.errors import Malformed
from credit.seal import Seal
from lab.gateway.identity import Admitted, Visitor
from lab.gateway.request_bodies import read_json, text_of
from lab.gateway.research_zone import ResearchZone

TABLES = 200
WITNESSES = ("machine", "kernel")  # who says so: the machine's own watch, or the notebook's kernel for want of one
_DIGEST = re.compile(r"[0-9a-f]{64}")
router = APIRouter()


def digests(release: Seal, tables: list[str]) -> dict[str, str]:
    """Each table's digest: that of its files' digests by name, as the release's signed manifest has them."""
    files = {
        table: {name: code for name, code in release.files.items() if name.startswith(f"{table}/")} for table in tables
    }
    return {table: digest_json(found) for table, found in files.items() if found}


def write(zone: ResearchZone, visitor: Visitor, told: dict[str, Any]) -> None:
    """Append ``cell.read`` to the research ledger."""
    release = zone.release(told["release"]).seal
    details = {
        "project": visitor.workspace.project,
        "kernel": told["kernel"],
        "release": release.id,
        "tables": digests(release, told["tables"]),
        "witness": told["witness"],
    }
    zone.ledger.append("cell.read", f"cell-{told['code']}", by=visitor.actor, details=details)


@router.post("/v1/reads", status_code=201)
async def read(request: Request, who: Admitted) -> dict[str, int]:
    """``{"kernel", "code": digest, "tables": […], "witness", "release"?}``; answers how many tables were written."""
    visitor, _ = who
    told = await read_json(request, 64 * 1024)
    if not isinstance(told, dict):
        raise Malformed("read-log.reading-cannot-be-read")
    tables = told.get("tables")
    if not isinstance(tables, list) or len(tables) > TABLES or not all(isinstance(name, str) for name in tables):
        raise Malformed("read-log.tables-reading-cannot-be-read", tables=TABLES)
    asked: dict[str, Any] = {
        "kernel": text_of(told, "kernel", most=64),
        "code": text_of(told, "code", most=64),
        "tables": sorted(set(tables)),
        "witness": told.get("witness"),
        "release": str(told.get("release", ""))[:80],
    }
    if not _DIGEST.fullmatch(asked["code"]) or asked["witness"] not in WITNESSES:
        raise Malformed("read-log.reading-cannot-be-read-names-digest-cell")
    await visitor.aside(write, request.app.state.zone, visitor, asked)
    return {"tables": len(asked["tables"])}
