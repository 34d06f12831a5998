"""A request for a table (汇总表申请): one aggregate SELECT over as-of views, as data, read strictly.

::

    {"kind": "enterprise", "sql": "SELECT district, count(*) … GROUP BY district", "as_of": "2026-04-01", "release": ""}

``kind`` is the kind of subjects that are counted: those active on the day. The SQL is kept as it was parsed, without
comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from credit.messages import Text
from models.order.order import MAXIMUM_SQL, SUBJECT_KINDS
from models.order.parsing import DeclarationSection

FILE = "table.json"  # in the ORDER that asks for a table
_KEYS = ("kind", "sql", "as_of", "release")


@dataclass(frozen=True, slots=True)
class TableRequest:
    """A whole request for a table on one day."""

    kind: str
    sql: str
    as_of: date
    release: str = ""

    def as_json(self) -> dict[str, Any]:
        """The request as plain values; :meth:`parse` gives it back."""
        return asdict(self) | {"as_of": self.as_of.isoformat()}

    def of_release(self, release: str, sql: str) -> TableRequest:
        """The request as it is carried out: on this release, with its SQL as it was parsed."""
        return replace(self, release=release, sql=sql)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> TableRequest:
        """Read plain values; raises :class:`Malformed` with the key that is wrong."""
        section = DeclarationSection.of(data, "table", known=_KEYS, optional=("release",))
        kind = section.choice("kind", SUBJECT_KINDS, default="")
        sql = section.text("sql")
        section.require("sql", len(sql) <= MAXIMUM_SQL, Text.of("parsing.sql-too-long", limit=MAXIMUM_SQL))
        day = section.day("as_of")
        section.require("as_of", day.day == 1, Text.of("tables.day"))
        return cls(kind, sql, day, section.text("release") if data.get("release") else "")
