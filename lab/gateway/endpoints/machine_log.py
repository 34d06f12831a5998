"""What the machine saw of a kernel (机器记录): which tables it read, and which files of its home it opened.

The hub's monitor sends it over the control socket and lets the kernel go on when it is in the ledger. A body is one
line of JSON; that of a file is followed by its content, packed where it is large, unless it is too large even so. Files
of code are cells, as what they bring is run; every other one is a ``file.opened``. Their content is stored as that of
cells is.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from credit.actor import Actor, Role
from credit.canonical import digest
from credit.errors import Malformed
from credit.files import write_atomically
from lab.gateway.endpoints.read_log import read_details, table_names
from lab.gateway.request_bodies import DIGEST, read_body
from lab.gateway.research_zone import ResearchZone
from lab.settings import KEPT_FILE, PACKED, Workspace

LINE = 64 << 10
CODE = (".py", ".ipynb", ".pyc", ".so", ".pth", ".sh", ".sql", ".r", ".ipy", ".pyx", ".c", ".zip", ".whl", ".egg")
_KERNEL = re.compile(r"[0-9a-f-]{1,64}")
_ENDING = re.compile(r"\.[a-z0-9_]{1,15}")
router = APIRouter()


def record_read(zone: ResearchZone, workspace: Workspace, record: dict[str, Any]) -> None:
    """Append ``cell.read``: of the cell that ran, or of the kernel between cells, after the last of them."""
    practice = str(record.get("practice", ""))[:80]
    details = _moment(record, workspace) | read_details(zone, workspace.project, table_names(record), practice)
    zone.ledger.append("cell.read", _object(record), by=_author(workspace), details=details)


def record_opened(zone: ResearchZone, workspace: Workspace, record: dict[str, Any], content: bytes) -> None:
    """Store a file's content under its digest, then append ``cell.executed`` for code and ``file.opened`` otherwise."""
    name, size, ending = record.get("digest"), record.get("bytes"), str(record.get("ending", "")).lower()
    if not isinstance(name, str) or not DIGEST.fullmatch(name) or type(size) is not int or size < 1:
        raise Malformed("machine-log.record-cannot-be-read")
    packed = record.get("packed") is True
    if content and (unpacked_digest(content, size) if packed else (digest(content), len(content))) != (name, size):
        raise Malformed("machine-log.record-cannot-be-read")
    if content:
        place = zone.settings.airlock / "cells" / (f"{name}{PACKED}" if packed else name)
        if not place.exists():
            write_atomically(place, content, mode=0o600)
    details = _moment(record, workspace) | {"bytes": size, "kept": bool(content)}
    details |= {"ending": ending} if _ENDING.fullmatch(ending) else {}
    if ending in CODE:
        cell = details.get("code", "")
        details |= {"code": name, "opened_by": cell, "tables": ()}
        zone.ledger.append("cell.executed", f"cell-{name}", by=_author(workspace), details=details)
    else:
        zone.ledger.append("file.opened", f"file-{name}", by=_author(workspace), details=details)


def unpacked_digest(content: bytes, size: int) -> tuple[str, int]:
    """Digest and size of what is packed (zlib), of which no more than ``size`` bytes are looked at."""
    unpacker, whole, length = zlib.decompressobj(), hashlib.sha256(), 0
    try:
        while length <= size and (part := unpacker.decompress(content, 1 << 20)):
            whole.update(part)
            length += len(part)
            content = unpacker.unconsumed_tail
    except zlib.error:
        return "", 0
    return whole.hexdigest(), length


def _moment(record: dict[str, Any], workspace: Workspace) -> dict[str, Any]:
    """Project, kernel, and the cell that ran (``code``) or the last one before (``after``)."""
    kernel = record.get("kernel")
    cells: dict[str, Any] = {key: record[key] for key in ("code", "after") if key in record}
    if not isinstance(kernel, str) or not _KERNEL.fullmatch(kernel):
        raise Malformed("machine-log.record-cannot-be-read")
    if len(cells) > 1 or not all(isinstance(code, str) and DIGEST.fullmatch(code) for code in cells.values()):
        raise Malformed("machine-log.record-cannot-be-read")
    return {"project": workspace.project, "kernel": kernel, "witness": "machine", **cells}


def _object(record: dict[str, Any]) -> str:
    return f"cell-{record['code']}" if "code" in record else f"kernel-{record['kernel']}"


def _author(workspace: Workspace) -> Actor:
    return Actor(workspace.user, Role.RESEARCHER)


async def _parts(request: Request) -> tuple[dict[str, Any], bytes]:
    line, _, content = (await read_body(request, LINE + KEPT_FILE)).partition(b"\n")
    try:
        record = json.loads(line)
    except ValueError as error:
        raise Malformed("machine-log.record-cannot-be-read") from error
    if not isinstance(record, dict):
        raise Malformed("machine-log.record-cannot-be-read")
    return record, content


@router.post("/workspaces/{name}/reads", status_code=204)
async def read(request: Request, name: str) -> Response:
    """Record that a kernel of an open workspace read tables."""
    record, _ = await _parts(request)
    state = request.app.state
    await run_in_threadpool(record_read, state.zone, state.listening.workspace(name), record)
    return Response(status_code=204)


@router.post("/workspaces/{name}/files", status_code=204)
async def opened(request: Request, name: str) -> Response:
    """Record that a kernel of an open workspace opened a file of its home."""
    record, content = await _parts(request)
    state = request.app.state
    await run_in_threadpool(record_opened, state.zone, state.listening.workspace(name), record, content)
    return Response(status_code=204)
