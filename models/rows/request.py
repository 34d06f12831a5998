"""A request for rows (特征行申请): what a researcher asks for, as data, read strictly.

::

    {"kind": "enterprise", "sql": "SELECT subject, …", "as_of": ["2026-04-01"], "population": "", "label": "",
     "sample": null, "release": ""}

``kind`` is the kind of subjects, and with it the built-in recipe whose open columns the groups are made of. The SQL is
kept as it was parsed, without comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from credit.canonical import digest_json
from credit.messages import Text
from models.order.order import MAXIMUM_SQL, SUBJECT_KINDS
from models.order.parsing import DeclarationSection

FILE = "rows.json"  # in the ORDER that asks for rows
MAXIMUM_DAYS = 24
LABELS = ("", "defaulted")  # 违约, as the built-in order of the kind declares it
_KEYS = ("kind", "sql", "as_of", "population", "label", "sample", "release")


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """A whole request. ``population`` is a condition over the columns that are open, as the rows show them."""

    kind: str
    sql: str
    as_of: tuple[date, ...]
    population: str = ""
    label: str = ""
    sample: int | None = None
    release: str = ""

    def as_json(self) -> dict[str, Any]:
        """The request as plain values; :meth:`parse` gives it back."""
        return asdict(self) | {"as_of": [day.isoformat() for day in self.as_of]}

    @property
    def id(self) -> str:
        """The same request has the same id, however often it is made."""
        return digest_json(self.as_json())

    def of_release(self, release: str, sql: str) -> RowsRequest:
        """The request as it is carried out: on this release, with its SQL as it was parsed."""
        return replace(self, release=release, sql=sql)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> RowsRequest:
        """Read plain values; raises :class:`Malformed` with the key that is wrong."""
        section = DeclarationSection.of(data, "rows", known=_KEYS, optional=_KEYS[3:])
        kind = section.choice("kind", SUBJECT_KINDS, default="")
        sql = section.text("sql")
        section.require("sql", len(sql) <= MAXIMUM_SQL, Text.of("parsing.sql-too-long", limit=MAXIMUM_SQL))
        days = tuple(
            DeclarationSection({"as_of": day}, "rows").day("as_of")
            for day in section.items("as_of")[: MAXIMUM_DAYS + 1]
        )
        section.require(
            "as_of",
            0 < len(set(days)) == len(days) <= MAXIMUM_DAYS and all(day.day == 1 for day in days),
            Text.of("rows.days", most=MAXIMUM_DAYS),
        )
        sample = section.integer("sample", minimum=1, maximum=10_000_000) if data.get("sample") is not None else None
        texts = {key: section.text(key) if data.get(key) else "" for key in ("population", "release")}
        label = section.choice("label", LABELS, default="")
        return cls(kind, sql, tuple(sorted(days)), texts["population"], label, sample, texts["release"])
