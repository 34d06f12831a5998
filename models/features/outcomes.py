"""The one source of outcomes (结果): subject, day and event, for labels and for monitoring, read by compute alone.

An event is what happened to a subject on a day: a loan was granted, drawn, overdue, settled or written off. Today every
row of the table that an order's label names is one event, and the label's condition says which of them count; for the
built-in orders that is the table of loan reports. Nothing else reads that table as outcomes, so another source (reports
that banks send themselves) replaces this file and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.features.duckdb_engine import Engine, quote_identifier
from models.features.feature_sql import check_condition
from models.features.views import raw_table
from models.order.spec import Label

OUTCOMES = "_outcome"
"""The table that :func:`create_outcomes` makes: (subject, _happened, _known, _ends, met BOOLEAN)."""


def source_columns(label: Label, terms: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The columns to read of each table before outcomes can be made; raises :class:`Malformed` for a wrong label."""
    condition = check_condition(label.when, terms["tables"][label.table]["columns"], table=label.table)
    return {label.table: condition.columns}


def create_outcomes(database: Engine, label: Label, terms: Mapping[str, Any]) -> None:
    """Create :data:`OUTCOMES` of one bucket: an event a row, and whether it is what the label counts."""
    condition = check_condition(label.when, terms["tables"][label.table]["columns"], table=label.table).sql
    source = quote_identifier(raw_table(label.table))
    database.execute(
        f"CREATE TABLE {OUTCOMES} AS SELECT subject, _happened, _known, _ends, ({condition}) AS met FROM {source}"
    )
