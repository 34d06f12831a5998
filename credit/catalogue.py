"""The catalogue (公共信用信息目录) as data: one YAML file for each table, read strictly.

The form follows Frictionless Table Schema (title, type, constraints) with the additions of a credit catalogue: 公开属性
(openness), 共享范围 (sharing) and 使用权限 (usage) of each item (天津市社会信用条例 arts. 10–11), the identifier role
(GB/T 37964-2019: direct, quasi), and one rule per purpose. A release for a purpose drops every column without a rule.
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
from credit.messages import Text
from credit.usage_rights import UsageRight, read_right

HERE = Path(__file__).parent / "catalogues"
# libyaml, where it is installed, gives the same values ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEYS = {
    "name", "title", "english", "source", "market", "subjects", "standard", "openness", "sharing", "usage", "file",
    "subject", "surrogate", "key", "time", "repair_document", "fields", "layouts", "checks", "constants",
    "registers", "subject_kind", "state", "scope", "certificate", "archives",
}  # fmt: skip
_NEEDED = {"name", "title", "source", "openness", "sharing", "usage", "file", "subject", "key", "time", "fields"}


@dataclass(frozen=True, slots=True)
class Time:
    """The fields that hold the day a record happened, the day it became known to the platform, and the day it ends.

    A table without ``happened`` is undated.
    """

    happened: Field | None
    known: Field | None
    ends: Field | None


@dataclass(frozen=True, slots=True)
class Check:
    """A rule on a row: ``bad`` is SQL over the raw columns (and ``r.registered_on``) that is true for a bad row.

    ``reason`` is the name under which a rejected row is counted, ``chinese`` the same in Chinese.
    """

    reason: str
    bad: str
    chinese: str = ""


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
    usage: UsageRight
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
    scope: Field | None = None  # holds the scope of each record (公开类型, 信息使用范围)
    archives: tuple[str, ...] = ()  # kinds of subject beside `subjects` whose records may be seen and are not scored
    certificate: bool = False  # a special report (信用代证) shows its records of every severity, also ended ones

    @property
    def dated(self) -> bool:
        """True when records have the day they happened; features of an earlier day never use an undated table."""
        return self.time.happened is not None

    def field(self, name: str) -> Field:
        """The field with this official name or column name; raises :class:`Missing`."""
        for candidate in self.fields:
            if name in (candidate.name, candidate.column):
                return candidate
        raise Missing("catalogue.no-field", self_name=self.name, name=name)

    @classmethod
    def parse(cls, data: Mapping[str, Any], *, where: str) -> Table:
        """Read one table; raises :class:`Malformed` with the file and the key that is wrong."""
        require_keys(data, known=_KEYS, needed=_NEEDED, where=where)
        shared = {key: data[key] for key in ("openness", "sharing", "usage")}
        fields = tuple(Field.parse(shared | entry, where=where) for entry in data["fields"])
        named = {f.name: f for f in fields}
        if len(named) != len(fields) or len({f.column for f in fields}) != len(fields):
            raise Malformed("catalogue.field-twice", where=where)

        def find(name: str | None) -> Field | None:
            if name is None:
                return None
            if name not in named:
                raise Malformed("catalogue.field-not-declared", where=where, name=name)
            return named[name]

        subject = find(data["subject"])
        assert subject is not None
        when = data["time"]
        files = data["file"] if isinstance(data["file"], list) else [data["file"]]
        return cls(
            name=data["name"],
            title=data["title"],
            english=data.get("english", data["name"].replace("_", " ")),
            source=data["source"],
            market=bool(data.get("market", False)),
            subjects=tuple(data.get("subjects", ("enterprise", "individual_business"))),
            standard=data.get("standard", ""),
            openness=data["openness"],
            sharing=data["sharing"],
            usage=read_right(data["usage"], where),
            files=tuple(files),
            subject=subject,
            surrogate=bool(data.get("surrogate", False)),
            key=tuple(f for name in data["key"] if (f := find(name))),
            time=Time(find(when.get("happened")), find(when.get("known")), find(when.get("ends"))),
            repair_document=find(data.get("repair_document")),
            fields=fields,
            layouts=MappingProxyType(data.get("layouts") or {}),
            checks=tuple(Check(c["reason"], c["bad"], c.get("chinese", "")) for c in data.get("checks") or ()),
            constants=MappingProxyType(data.get("constants") or {}),
            registers=bool(data.get("registers", False)),
            subject_kind=find(data.get("subject_kind")),
            state=find(data.get("state")),
            scope=find(data.get("scope")),
            archives=tuple(data.get("archives") or ()),
            certificate=bool(data.get("certificate", False)),
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A set of tables; ``version`` is the SHA-256 of all their contents, so that a release names the text it used."""

    name: str
    version: str
    tables: Mapping[str, Table]

    @classmethod
    def load(cls, name: str = "city", folder: Path | None = None) -> Catalogue:
        """Load the set ``credit/catalogues/<name>``, or the set in ``folder``.

        Raises :class:`Missing` for an unknown set, and :class:`Malformed` with the file and key of a bad one.
        """
        paths = sorted((folder or HERE / name).glob("*.yaml"))
        if not paths:
            raise Missing("catalogue.no-catalogue", name=name)
        tables: dict[str, Table] = {}
        contents: list[Any] = []
        for path in paths:
            try:
                data = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
            except yaml.YAMLError as error:
                why = Text.verbatim(str(error).replace("\n", " "))
                raise Malformed("catalogue.not-yaml", why=why, path_name=path.name) from error
            table = Table.parse(data, where=path.name)
            if table.name in tables or table.name != path.stem:
                raise Malformed(
                    "catalogue.table-not-named-after-file", why=Text.verbatim(table.name), path_name=path.name
                )
            tables[table.name] = table
            contents.append(_plain(data))
        return cls(name, digest_json(contents), MappingProxyType(tables))

    def table(self, name: str) -> Table:
        """The table of this name; raises :class:`Missing`."""
        if name not in self.tables:
            raise Missing("catalogue.no-table", self_name=self.name, name=name, tables=", ".join(self.tables))
        return self.tables[name]


def _plain(value: Any) -> Any:
    """The value with every date as text: YAML reads dates as dates, and a digest needs JSON values."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
