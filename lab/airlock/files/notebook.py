"""Notebooks (笔记本): what leaves is built anew from the cells' sources. Outputs, attachments and metadata stay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from credit.canonical import canonical
from lab.airlock.checks.trouble import as_finding, fail, judge, review
from lab.airlock.files import text as texts
from lab.airlock.files.file_inspection import Looked
from lab.airlock.files.file_kinds import Kind
from lab.airlock.files.table import look_at_text
from lab.airlock.parcel_context import About
from lab.airlock.thresholds import Thresholds

_AGAIN = "Save it in JupyterLab in the form nbformat 4"


def look_at_notebook(name: str, content: bytes, about: About, t: Thresholds) -> Looked:
    """A notebook of nbformat 4; its sources are held to the rules of text."""
    try:
        told = json.loads(content)
        cells = [_cell(each, number) for number, each in enumerate(told["cells"])]
        language = str(told.get("metadata", {}).get("language_info", {}).get("name", "python"))
        right = told["nbformat"] == 4 and all(cells) and language.isalpha() and len(language) <= 20
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        right = False
    if not right:
        return Looked(
            Kind.NOTEBOOK, b"", (as_finding("reading", name, fail("it is not a notebook of form 4", _AGAIN)),)
        )
    stripped = {
        "outputs": sum(len(each.get("outputs") or ()) for each in told["cells"]),
        "attachments": sum(len(each.get("attachments") or ()) for each in told["cells"]),
        "metadata": sum(bool(each.get("metadata")) for each in told["cells"]),
    }
    built = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"language_info": {"name": language}}, "cells": cells}
    carried = json.dumps(built, ensure_ascii=False, indent=1).encode() + b"\n"
    source = "\n".join(str(each["source"]) for each in cells if each)
    looked = look_at_text(name, source.encode(), about, t)
    findings = [*looked.findings, *judge(name, canonical(built).decode(), (("built anew", texts.blobs),), t)]
    if any(stripped.values()):
        findings.append(
            as_finding(
                "stripped",
                name,
                review(
                    "its outputs, attachments and metadata do not leave: the parcel carries the sources alone",
                    "Carry results out as tables and pictures of their own",
                    **stripped,
                ),
            )
        )
    return Looked(Kind.NOTEBOOK, carried, tuple(findings), looked.tables)


def _cell(told: Mapping[str, Any], number: int) -> dict[str, Any] | None:
    """A cell with its source and nothing else; None when it is not one."""
    kind, source = told["cell_type"], told["source"]
    text = "".join(source) if isinstance(source, list) else source
    if kind not in ("code", "markdown", "raw") or not isinstance(text, str):
        return None
    built: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": text}
    return built | ({"execution_count": None, "outputs": []} if kind == "code" else {})
