"""The rows that wait in quarantine, as people read them: file, line, document number, field, value and reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from credit.catalogue import Catalogue
from privacy.quarantine.annotated import fields_of
from privacy.quarantine.store import WAITING, read
from privacy.vault import Vault


def waiting_rows(vault: Vault) -> list[dict[str, Any]]:
    """The rows that the source units have still to correct, by table, file and line."""
    rows: list[dict[str, Any]] = [row for row in read(vault).to_pylist() if row["state"] == WAITING]
    return sorted(rows, key=lambda row: (row["table"] or "", row["file"] or "", row["line"] or 0))


def waiting_counts(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How many rows wait by table, field and reason, the most first; without a value of a row or a name of a file."""
    counted = Counter((row["table"], row["field"] or "", row["reason"], row["message"]) for row in rows)
    return [
        {"table": table, "field": field, "rows": number, "reason": reason, "message": json.loads(message or "null")}
        for (table, field, reason, message), number in counted.most_common()
    ]


def shown_rows(rows: Sequence[Mapping[str, Any]], catalogue: Catalogue) -> list[dict[str, Any]]:
    """What the city team sees of each row; ``message`` is the reason as a message where the row has one.

    ``value`` is that of the field at fault. Of a row that could not be split into fields it is the line as it came.
    """
    return [_shown(row, catalogue) for row in rows]


def _line(content: str) -> str:
    """A line as text; of one that is in no known encoding what can be read of it."""
    try:
        return bytes.fromhex(content).decode("utf-8", "replace") if len(content) > 1 else content
    except ValueError:
        return content


def _shown(row: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    values, table = fields_of(row), catalogue.tables.get(row["table"])
    document = (table.repair_document or next((f for f in table.fields if f.number), None)) if table else None
    value = _line(str(row["row"])) if values is None else values.get(row["field"] or "", "")
    return {
        "table": row["table"],
        "file": row["file"],
        "line": row["line"],
        "document": (values or {}).get(document.name, "") if document else "",
        "field": row["field"] or "",
        "value": value,
        "reason": row["reason"],
        "message": row["message"],
    }
