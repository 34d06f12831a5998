"""The result of inspecting one file (单个文件的检查结果)."""

from __future__ import annotations

from dataclasses import dataclass

from credit.gate import Finding
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.files.file_kinds import FileKind


@dataclass(frozen=True, slots=True)
class FileInspection:
    """The kind (None: refused without reading), the outgoing bytes, the findings, and the tables in the file.

    The outgoing bytes may differ from the submitted ones, as for a redrawn picture or a notebook without outputs.
    """

    kind: FileKind | None
    outgoing: bytes
    findings: tuple[Finding, ...]
    tables: tuple[TableCase, ...] = ()
