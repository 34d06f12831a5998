"""Tables that left the lab by policy, in the form in which parcels are described to a notebook."""

from __future__ import annotations

from typing import Any

from credit.errors import CreditError, Missing
from credit.ledger import Entry, LookUp
from lab.airlock.review.states import State
from lab.airlock.table_parcel import FILE, LEFT
from lab.gateway.research_zone import ResearchZone
from lab.projects import Project


def parcels_of_tables(zone: ResearchZone, project: Project) -> list[dict[str, Any]]:
    """The project's tables that left, the newest first, as :func:`lab.gateway.endpoints.parcels.describe` has parcels.

    No reviewer voted on them; ``sealed`` is the parcel in the outbox, and their id as well.
    """
    left = [entry for entry in zone.ledger.find(LookUp(verb=LEFT)) if entry.details.get("project") == project.name]
    return [_described(zone, entry) for entry in reversed(left)]


def parcel_of_table(zone: ResearchZone, project: Project, parcel: str) -> dict[str, Any]:
    """One of these by its id or an unambiguous prefix of it; raises :class:`Missing`."""
    matches = [each for each in parcels_of_tables(zone, project) if parcel and each["id"].startswith(parcel)]
    if len(matches) != 1:
        raise Missing("parcels.no-such-parcel-project")
    return matches[0]


def _described(zone: ResearchZone, entry: Entry) -> dict[str, Any]:
    parcel = str(entry.details["parcel"])
    described: dict[str, Any] = {
        "id": parcel,
        "project": str(entry.details["project"]),
        "author": entry.by.name,
        "state": State.RECEIVED,
        "turn": "",
        "submitted_at": entry.at.isoformat(),
        "changed_at": entry.at.isoformat(),
        "files": {FILE: {"digest": "", "size": 0, "kind": "table"}},
        "context": {
            "title": f"table 汇总表 {entry.object[:18]}",
            "purpose": "",
            "files": {},
            "releases": [entry.object],
        },
        "verdict": {"gate": "table", "outcome": "pass", "findings": [], "thresholds": {}},
        "questions": [],
        "votes": [],
        "sealed": parcel,
    }
    try:
        table = zone.shelf.open(entry.object, deep=False).seal
    except CreditError:  # swept since: it left all the same
        return described
    named = table.terms["columns"]
    columns = ", ".join([*named["groups"], *named["statistics"]])
    context = described["context"] | {"title": f"table 汇总表: {columns}"}
    return described | {"context": context, "verdict": dict(table.terms["verdict"])}
