"""Placing an order for rows or a table: a request is checked against its project's tables and sealed as data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from credit.actor import Actor
from credit.canonical import canonical
from credit.errors import Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from lab.projects import Project
from models.features.feature_sql import REGISTER_COLUMNS, Schema, check
from models.order.order import built_in
from models.rows.request import FILE as ROWS_FILE
from models.rows.request import RowsRequest
from models.tables.request import FILE as TABLE_FILE
from models.tables.request import TableRequest
from models.tables.table_sql import check_table, require_bounds_of_columns


def place_request(
    request: RowsRequest | TableRequest,
    project: Project,
    *,
    release: OpenedSeal,
    shelf: Shelf,
    key: SigningKey,
    by: Actor,
    ledger: Ledger,
    today: date,
) -> Seal:
    """Seal a request as an ORDER on a research release; its SQL is written out again.

    The same request of a project is the same seal. Raises :class:`Malformed` for SQL that does not fit the granted
    tables, and :class:`Refused` for a person who is not a member, a release of another purpose, or a label from a
    table that is not granted.
    """
    project.require(by.name, today)
    if isinstance(request, RowsRequest) and request.label:
        table = built_in(request.kind).label.table
        if table not in project.tables:
            raise Refused("orders.project-not-granted", project_name=project.name, others=table)
    seal = release.seal
    if seal.kind is not Kind.RELEASE or seal.terms.get("purpose") != "research":
        raise Refused("order-placement.release-not-for-training", seal_short=seal.short, terms=str(seal.kind))
    seal.require_not_expired(today)
    tables = seal.terms["tables"]
    kind, file, sql = _checked(request, {name: tables[name]["columns"] for name in project.tables if name in tables})
    wanted, content = (kind, request.kind), (file, request.of_release(seal.id, sql).as_json())
    return seal_request(wanted, content, project, release=seal, shelf=shelf, key=key, by=by, ledger=ledger)


def seal_request(
    wanted: tuple[str, str],
    file: tuple[str, Mapping[str, Any]],
    project: Project,
    *,
    release: Seal,
    shelf: Shelf,
    key: SigningKey,
    by: Actor,
    ledger: Ledger,
) -> Seal:
    """Seal a request on a release as an ORDER with one file; ``wanted`` says the kind of request, and of what."""
    (kind, of), (name, content) = wanted, file
    terms = {kind: of, "project": project.name, "release": release.id, "author": by.name}
    with shelf.staging() as folder:
        (folder / name).write_bytes(canonical(content))
        order = shelf.put(
            folder, Kind.ORDER, parents=(release.id,), terms=terms, expires_on=release.expires_on, by=by, key=key
        )
    ledger.append(f"{kind}.placed", order.id, by=by, details={"project": project.name, "release": release.id})
    return order


def _checked(request: RowsRequest | TableRequest, granted: Schema) -> tuple[str, str, str]:
    """The kind of a request, the file of its order, and its SQL as it was parsed."""
    register = next((name for name, columns in granted.items() if set(REGISTER_COLUMNS) <= set(columns)), None)
    match request:
        case RowsRequest():
            return "rows", ROWS_FILE, check(request.sql, granted, population=register).sql
        case TableRequest():
            plan = check_table(request.sql, granted, population=register)
            require_bounds_of_columns(plan, request.at_most)
            return "table", TABLE_FILE, plan.sql
