"""A request for a table (汇总表申请): one aggregate SELECT over as-of views, as data, read strictly.

::

    {"kind": "enterprise", "sql": "SELECT district, count(*) … GROUP BY district", "as_of": "2026-04-01", "release": "",
     "at_most": {"fine": 50000}}

``kind`` is the kind of subjects that are counted: those active on the day. The SQL is kept as it was parsed, without
comments. ``at_most`` is the largest total of a column that one subject may give to a group, where the policy adds
noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from credit.messages import Text
from models.order.order import MAXIMUM_SQL, SUBJECT_KINDS
from models.order.parsing import DeclarationSection
from models.tables.table_sql import COLUMN_NAME

LARGEST_BOUND, MOST_BOUNDS = 1e15, 12
FILE = "table.json"  # in the ORDER that asks for a table
_KEYS = ("kind", "sql", "as_of", "release", "at_most")


@dataclass(frozen=True, slots=True)
class TableRequest:
    """A whole request for a table on one day."""

    kind: str
    sql: str
    as_of: date
    release: str = ""
    at_most: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The request as plain values; :meth:`parse` gives it back."""
        plain = {"kind": self.kind, "sql": self.sql, "as_of": self.as_of.isoformat(), "release": self.release}
        return plain | ({"at_most": dict(self.at_most)} if self.at_most else {})

    def of_release(self, release: str, sql: str) -> TableRequest:
        """The request as it is carried out: on this release, with its SQL as it was parsed."""
        return replace(self, release=release, sql=sql)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> TableRequest:
        """Read plain values; raises :class:`Malformed` with the key that is wrong."""
        section = DeclarationSection.of(data, "table", known=_KEYS, optional=("release", "at_most"))
        kind = section.choice("kind", SUBJECT_KINDS, default="")
        sql = section.text("sql")
        section.require("sql", len(sql) <= MAXIMUM_SQL, Text.of("parsing.sql-too-long", limit=MAXIMUM_SQL))
        day = section.day("as_of")
        section.require("as_of", day.day == 1, Text.of("tables.day"))
        at_most = data.get("at_most") or {}
        right = isinstance(at_most, Mapping) and all(
            COLUMN_NAME.fullmatch(str(name)) and type(value) in (int, float) and 0 < value < LARGEST_BOUND
            for name, value in at_most.items()
        )
        section.require("at_most", right and len(at_most) <= MOST_BOUNDS, Text.of("tables.at-most", most=MOST_BOUNDS))
        return cls(kind, sql, day, section.text("release") if data.get("release") else "", dict(at_most))
