"""Notebooks (笔记本): a new notebook with the cells' sources leaves; outputs, attachments and metadata are removed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from credit.canonical import canonical
from credit.messages import Text
from lab.airlock.files import text as texts
from lab.airlock.files.file_inspection import FileInspection
from lab.airlock.files.file_kinds import FileKind
from lab.airlock.files.table import inspect_text
from lab.airlock.issue import as_finding, fail, review, run_checks
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds

_AGAIN = Text.of("airlock.notebook-form-fix")


def inspect_notebook(name: str, content: bytes, about: FileDescription, t: Thresholds) -> FileInspection:
    """Inspect a notebook of nbformat 4; its sources are checked like a text."""
    try:
        notebook = json.loads(content)
        cells = [_bare_cell(cell, number) for number, cell in enumerate(notebook["cells"])]
        language = str(notebook.get("metadata", {}).get("language_info", {}).get("name", "python"))
        is_valid = notebook["nbformat"] == 4 and all(cells) and language.isalpha() and len(language) <= 20
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_valid = False
    if not is_valid:
        return FileInspection(
            FileKind.NOTEBOOK, b"", (as_finding("reading", name, fail(Text.of("airlock.notebook-form"), _AGAIN)),)
        )
    stripped = {
        "outputs": sum(len(cell.get("outputs") or ()) for cell in notebook["cells"]),
        "attachments": sum(len(cell.get("attachments") or ()) for cell in notebook["cells"]),
        "metadata": sum(bool(cell.get("metadata")) for cell in notebook["cells"]),
    }
    built = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"language_info": {"name": language}}, "cells": cells}
    outgoing = json.dumps(built, ensure_ascii=False, indent=1).encode() + b"\n"
    source = "\n".join(str(cell["source"]) for cell in cells if cell)
    source_inspection = inspect_text(name, source.encode(), about, t)
    findings = [
        *source_inspection.findings,
        *run_checks(name, canonical(built).decode(), (("built anew", texts.encoded_data),), t),
    ]
    if any(stripped.values()):
        findings.append(
            as_finding(
                "stripped",
                name,
                review(
                    Text.of("airlock.notebook-outputs"),
                    Text.of("airlock.notebook-outputs-fix"),
                    **stripped,
                ),
            )
        )
    return FileInspection(FileKind.NOTEBOOK, outgoing, tuple(findings), source_inspection.tables)


def _bare_cell(cell: Mapping[str, Any], number: int) -> dict[str, Any] | None:
    """A cell with its source only; None when it is not a cell of nbformat 4."""
    kind, source = cell["cell_type"], cell["source"]
    text = "".join(source) if isinstance(source, list) else source
    if kind not in ("code", "markdown", "raw") or not isinstance(text, str):
        return None
    stripped: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": text}
    return stripped | ({"execution_count": None, "outputs": []} if kind == "code" else {})
