"""The catalogue (公共信用信息目录) as data: one YAML file a table, read strictly.

The form follows Frictionless Table Schema (title, type, constraints) with what a credit catalogue adds: 公开属性
(openness), 共享范围 (sharing) and 使用权限 (usage) for each item (天津市社会信用条例 arts. 10–11), the identifier role
(GB/T 37964-2019: direct, quasi), and the rule per purpose. A column without a rule for a purpose is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from credit.canonical import digest_json
from credit.errors import Malformed, Missing
from credit.fields import Field, require_keys

HERE = Path(__file__).parent / "catalogues"
# The same values, by libyaml where there is one: ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEYS = {
    "name", "title", "english", "source", "market", "subjects", "standard", "openness", "sharing", "usage", "file",
    "subject", "surrogate", "key", "time", "repair_document", "fields", "layouts", "checks", "constants",
    "registers", "subject_kind", "state", "scope",
}  # fmt: skip
_NEEDED = {"name", "title", "source", "openness", "sharing", "usage", "file", "subject", "key", "time", "fields"}


@dataclass(frozen=True, slots=True)
class Time:
    """Which fields say when a record happened, reached the platform, and ends. Without ``happened``: undated."""

    happened: Field | None
    known: Field | None
    ends: Field | None


@dataclass(frozen=True, slots=True)
class Check:
    """A rule on a row: ``bad`` is SQL over the raw columns (and ``r.registered_on``) that is true for a bad row."""

    reason: str
    bad: str


@dataclass(frozen=True, slots=True)
class Table:
    """One item of the catalogue (目录项)."""

    name: str
    title: str
    english: str
    source: str
    market: bool
    subjects: tuple[str, ...]
    standard: str
    openness: str
    sharing: str
    usage: str
    files: tuple[str, ...]
    subject: Field
    surrogate: bool
    key: tuple[Field, ...]
    time: Time
    repair_document: Field | None
    fields: tuple[Field, ...]
    layouts: Mapping[str, Mapping[str, str]]
    checks: tuple[Check, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)
    registers: bool = False
    subject_kind: Field | None = None
    state: Field | None = None
    scope: Field | None = None  # says of each record who may be shown it (公开类型, 信息使用范围)

    @property
    def dated(self) -> bool:
        """True when records have the day they happened; an undated table is never a feature of an earlier date."""
        return self.time.happened is not None

    def field(self, name: str) -> Field:
        """The field of this official name or column name; raises :class:`Missing`."""
        for candidate in self.fields:
            if name in (candidate.name, candidate.column):
                return candidate
        raise Missing("catalogue.table-no-field", self_name=self.name, name=name)

    @classmethod
    def parse(cls, told: Mapping[str, Any], *, where: str) -> Table:
        """Read one table; raises :class:`Malformed` naming the file and the key."""
        require_keys(told, known=_KEYS, needed=_NEEDED, where=where)
        shared = {key: told[key] for key in ("openness", "sharing", "usage")}
        fields = tuple(Field.parse(shared | entry, where=where) for entry in told["fields"])
        named = {f.name: f for f in fields}
        if len(named) != len(fields) or len({f.column for f in fields}) != len(fields):
            raise Malformed("catalogue.two-fields-one-name", where=where)

        def find(name: str | None) -> Field | None:
            if name is None:
                return None
            if name not in named:
                raise Malformed("catalogue.field-used-and-not-declared", where=where, name=name)
            return named[name]

        subject = find(told["subject"])
        assert subject is not None
        when = told["time"]
        files = told["file"] if isinstance(told["file"], list) else [told["file"]]
        return cls(
            name=told["name"],
            title=told["title"],
            english=told.get("english", told["name"].replace("_", " ")),
            source=told["source"],
            market=bool(told.get("market", False)),
            subjects=tuple(told.get("subjects", ("enterprise", "individual_business"))),
            standard=told.get("standard", ""),
            **shared,
            files=tuple(files),
            subject=subject,
            surrogate=bool(told.get("surrogate", False)),
            key=tuple(f for name in told["key"] if (f := find(name))),
            time=Time(find(when.get("happened")), find(when.get("known")), find(when.get("ends"))),
            repair_document=find(told.get("repair_document")),
            fields=fields,
            layouts=MappingProxyType(told.get("layouts") or {}),
            checks=tuple(Check(c["reason"], c["bad"]) for c in told.get("checks") or ()),
            constants=MappingProxyType(told.get("constants") or {}),
            registers=bool(told.get("registers", False)),
            subject_kind=find(told.get("subject_kind")),
            state=find(told.get("state")),
            scope=find(told.get("scope")),
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A set of tables; ``version`` is the digest of all they say, so a release can name the very text behind it."""

    name: str
    version: str
    tables: Mapping[str, Table]

    @classmethod
    def load(cls, name: str = "city", folder: Path | None = None) -> Catalogue:
        """The set shipped as ``credit/catalogues/<name>``, or the one in ``folder``.

        Raises :class:`Missing` for an unknown set and :class:`Malformed` naming file and key for a bad one.
        """
        place = folder or HERE / name
        paths = sorted(place.glob("*.yaml"))
        if not paths:
            raise Missing("catalogue.no-catalogue", name=name)
        tables: dict[str, Table] = {}
        told_all: list[Any] = []
        for path in paths:
            try:
                told = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
            except yaml.YAMLError as error:
                raise Malformed("catalogue.not-yaml", why=str(error).replace("\n", " "), path_name=path.name) from error
            table = Table.parse(told, where=path.name)
            if table.name in tables or table.name != path.stem:
                raise Malformed("catalogue.table-name-must-be-file", why=table.name, path_name=path.name)
            tables[table.name] = table
            told_all.append(_plain(told))
        return cls(name, digest_json(told_all), MappingProxyType(tables))

    def table(self, name: str) -> Table:
        """The table of this name; raises :class:`Missing`."""
        if name not in self.tables:
            raise Missing("catalogue.catalogue-no-table", self_name=self.name, name=name, tables=", ".join(self.tables))
        return self.tables[name]


def _plain(value: Any) -> Any:
    """YAML reads dates as dates; the digest wants text."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
