"""The catalogue for a project: the granted practice tables with their description, and the releases of records."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from credit.catalogue import Catalogue, Table
from credit.errors import Missing
from credit.seal import Seal
from lab.projects import Project

TIME_COLUMNS = {  # of every dated table
    "subject": ("主体（化名）", "the subject's pseudonym"),
    "_happened": ("发生日期", "the day it happened"),
    "_known": ("归集日期", "the day it reached the platform"),
    "_ends": ("公示截止日期", "the day its publication ends"),
}


def describe(practice: Seal, project: Project, search: str = "") -> dict[str, Any]:
    """``{practice, as_of, expires_on, invented, tables: [...], not_granted: [names]}``, all JSON values.

    A table is ``{name, title, english, source, market, rows, dated, openness, sharing, usage, columns}``, a column
    ``{name, title, type, unit, enum, rule, role}``. ``search`` keeps tables and columns in whose names, titles or
    source it occurs; a table that matches by its own name or title keeps all its columns.
    """
    described = practice.terms["tables"]
    known = _known(practice.terms.get("catalogue", {}).get("name", ""))
    granted = [_table(name, described[name], known.get(name)) for name in sorted(described) if name in project.tables]
    words = search.lower().split()
    matching = [match for each in granted if (match := _matching(each, words))]
    others = [name for name in sorted(described) if name not in project.tables]
    return {
        "practice": practice.id,
        "as_of": practice.terms["as_of"],
        "expires_on": practice.expires_on.isoformat(),
        "invented": True,
        "tables": matching,
        "not_granted": [name for name in others if all(word in name.lower() for word in words)],
    }


def describe_releases(releases: list[Seal], project: Project) -> list[dict[str, Any]]:
    """The releases that an order may name: ``{release, as_of, expires_on, invented, tables}``, the newest first.

    ``tables`` are the granted ones by name. It contains nothing of the records themselves, not even how many there are.
    """
    return [
        {
            "release": each.id,
            "as_of": each.terms["as_of"],
            "expires_on": each.expires_on.isoformat(),
            "invented": bool(each.terms.get("invented", False)),
            "tables": sorted(set(each.terms["tables"]) & set(project.tables)),
        }
        for each in releases
    ]


def _table(name: str, described: dict[str, Any], table: Table | None) -> dict[str, Any]:
    return {
        "name": name,
        "title": table.title if table else name,
        "english": table.english if table else name.replace("_", " "),
        "source": table.source if table else "",
        "market": bool(table and table.market),
        "rows": described["rows"],
        "dated": described["dated"],
        "openness": table.openness if table else "",
        "sharing": table.sharing if table else "",
        "usage": table.usage if table else "",
        "columns": [
            _column(column, described["columns"][column], table) for column in _ordered(described["columns"], table)
        ],
    }


def _ordered(columns: dict[str, str], table: Table | None) -> list[str]:
    """The subject first, then the order of the catalogue, and the columns of every table at the end."""
    official = [field.column for field in table.fields] if table else []
    place = {name: number for number, name in enumerate(["subject", *official])}
    return sorted(
        columns,
        key=lambda name: (
            name.startswith("_"),
            place.get(name, len(place)),
            list(TIME_COLUMNS).index(name) if name in TIME_COLUMNS else 0,
        ),
    )


def _column(name: str, kind: str, table: Table | None) -> dict[str, Any]:
    if name in TIME_COLUMNS:
        title, _ = TIME_COLUMNS[name]
        return {"name": name, "title": title, "type": kind, "unit": None, "enum": [], "rule": "", "role": "none"}
    field = None
    if table is not None:
        field = next((each for each in table.fields if each.column == name), None)
    return {
        "name": name,
        "title": field.title if field else name,
        "type": kind,
        "unit": field.unit if field else None,
        "enum": list(field.enum) if field else [],
        "rule": field.rule("research") if field else "",
        "role": field.role if field else "none",
    }


def _matching(table: dict[str, Any], words: list[str]) -> dict[str, Any] | None:
    about = " ".join((table["name"], table["title"], table["english"], table["source"])).lower()
    if all(word in about for word in words):
        return table
    columns = [
        column
        for column in table["columns"]
        if all(word in f"{about} {column['name']} {column['title']}".lower() for word in words)
    ]
    return table | {"columns": columns} if columns else None


@lru_cache(maxsize=8)
def _known(name: str) -> dict[str, Table]:
    """The tables of the named catalogue; none when it is not installed here."""
    try:
        return dict(Catalogue.load(name).tables) if name.isidentifier() else {}
    except Missing:
        return {}
