"""What came of looking at one file (单个文件的检查结果)."""

from __future__ import annotations

from dataclasses import dataclass

from credit.gate import Finding
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.files.file_kinds import FileKind


@dataclass(frozen=True, slots=True)
class FileInspection:
    """The kind (None: refused unread), the bytes that would leave, the findings, and the tables in it.

    What leaves may be other bytes than what was given: a picture drawn anew, a notebook without its outputs.
    """

    kind: FileKind | None
    outgoing: bytes
    findings: tuple[Finding, ...]
    tables: tuple[TableCase, ...] = ()
