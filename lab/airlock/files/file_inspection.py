"""The result of inspecting one file (单个文件的检查结果)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from credit.gate import Finding
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.files.file_kinds import FileKind


@dataclass(frozen=True, slots=True)
class FileInspection:
    """The kind (None: refused without reading), the main form, the findings, and the tables in the file.

    ``outgoing`` is the main form of what leaves, which is stored until then, and ``name`` its name: both may differ
    from what was submitted. ``leaving`` are all files that leave, by name, the main form among them.
    """

    kind: FileKind | None
    outgoing: bytes
    findings: tuple[Finding, ...]
    tables: tuple[TableCase, ...] = ()
    name: str = ""
    leaving: Mapping[str, bytes] = field(default_factory=dict)
