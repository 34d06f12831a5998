"""``lab.me`` and ``lab.catalogue``: the user and project of this workspace, and its granted practice tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.library import gateway_client
from lab.library.display import html
from lab.library.display.result import MARK
from lab.library.workspace_data import practice

if TYPE_CHECKING:
    import pandas


class Me(dict[str, Any]):
    """The workspace: user, project, granted tables and last day."""

    def __repr__(self) -> str:
        return html.text_table(("", ""), list(self._labelled().items()))

    def _repr_html_(self) -> str:
        return html.pairs(self._labelled(), caption="This workspace 当前工作区")

    def _labelled(self) -> dict[str, str]:
        names = {"user": "user 用户", "project": "project 课题", "title": "title 名称", "ends_on": "ends on 截止"}
        values = {shown: str(self[key]) for key, shown in names.items()}
        return values | {"members 成员": ", ".join(self["members"]), "tables 授权": ", ".join(self["tables"]) or "none"}


def me() -> Me:
    """The user and project of this workspace, its granted tables and its last day.

    >>> import lab
    >>> lab.me()["project"]
    'loans'
    """
    return Me(gateway_client.get("/v1/me"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a granted table. ``rule`` is the rule by which its values were changed (脱敏规则)."""

    name: str
    title: str
    type: str
    unit: str | None
    enum: tuple[str, ...]
    rule: str
    role: str

    @property
    def values(self) -> str:
        """The unit, or the first permitted values."""
        shown = "、".join(self.enum[:6]) + ("…" if len(self.enum) > 6 else "")
        return self.unit or shown

    def _repr_html_(self) -> str:
        return html.table(_HEAD, [_row(self)])


@dataclass(frozen=True, slots=True)
class Table:
    """A granted table; its columns are attributes."""

    name: str
    title: str
    english: str
    source: str
    market: bool
    rows: int
    dated: bool
    openness: str
    sharing: str
    usage: str
    columns: tuple[Column, ...] = field(repr=False)

    def __getattr__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise AttributeError(f"{self.name} has no column {name}; it has {', '.join(c.name for c in self.columns)}")

    def __dir__(self) -> list[str]:
        return [*(column.name for column in self.columns), "columns", "title", "rows", "source", "usage"]

    def __repr__(self) -> str:
        about = f"{self.name}  {self.title}  ({self.rows:,} rows, {MARK}; {self.source or 'no source told'})"
        return about + "\n" + html.text_table(_HEAD, [_row(column) for column in self.columns])

    def _repr_html_(self) -> str:
        rights = f"{self.openness} · {self.sharing} · {self.usage}"
        more = f"{self.english} · {self.source} · {self.rows:,} rows, {MARK} · {rights}"
        head = html.title(f"{self.name} {self.title}", more)
        undated = "" if self.dated else html.note("No dates: it is seen on the tables' own day alone.")
        return html.block(head, undated, html.table(_HEAD, [_row(column) for column in self.columns]))


class Catalogue:
    """The granted practice tables as attributes (``lab.catalogue().administrative_penalty.fine``), and the names of
    the others. Their rows are invented; records have the same tables and columns.
    """

    def __init__(self, data: dict[str, Any], search: str = "") -> None:
        self.practice, self.as_of, self.invented = data["practice"], data["as_of"], data["invented"]
        self.not_granted: tuple[str, ...] = tuple(data["not_granted"])
        self.tables = {each["name"]: _table(each) for each in data["tables"]}
        self._search = search

    def __getattr__(self, name: str) -> Table:
        tables = self.__dict__.get("tables", {})
        if name in tables:
            table: Table = tables[name]
            return table
        if name in self.__dict__.get("not_granted", ()):
            raise AttributeError(f"{name} is not granted to this project; ask the platform team")
        raise AttributeError(f"there is no table {name}; there are {', '.join(tables)}")

    def __getitem__(self, name: str) -> Table:
        try:
            return self.tables[name]
        except KeyError:
            raise KeyError(f"{name}: there are {', '.join(self.tables)}") from None

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables.values())

    def __len__(self) -> int:
        return len(self.tables)

    def __dir__(self) -> list[str]:
        return [*self.tables, "tables", "not_granted", "to_pandas"]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.tables)

    def to_pandas(self) -> pandas.DataFrame:
        """All granted columns, one row per column."""
        import pandas

        rows: list[dict[str, Any]] = [
            {"table": t.name, "table_title": t.title, "column": c.name, "title": c.title, "type": c.type}
            | {"unit": c.unit, "values": list(c.enum), "rule": c.rule, "role": c.role, "rows": t.rows}
            for t in self
            for c in t.columns
        ]
        return pandas.DataFrame(rows)

    def __repr__(self) -> str:
        return html.text_table(("table", "表", "rows", "columns"), self._rows(), {2}) + "\n" + self._foot()

    def _repr_html_(self) -> str:
        head = html.title("Catalogue 公共信用信息目录", f"practice tables 练习数据 as of {self.as_of}, {MARK}")
        parts = []
        for each in self:
            wide = html.table(_HEAD, [_row(column) for column in each.columns])
            open_ = " open" if self._search and len(self) <= 5 else ""
            size = f"{each.rows:,} rows · {len(each.columns)} columns · {html.esc(each.source)}"
            name = f"<code>{html.esc(each.name)}</code> <strong>{html.esc(each.title)}</strong>"
            summary = f'{name} <span style="{html.QUIET}">{size}</span>'
            parts.append(f"<details{open_}><summary>{summary}</summary>{wide}</details>")
        return html.block(head, *parts, html.note(self._foot()))

    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [(t.name, t.title, f"{t.rows:,}", ", ".join(c.name for c in t.columns)[:70]) for t in self]

    def _foot(self) -> str:
        if self._search:
            more = f"; not granted: {', '.join(self.not_granted)}" if self.not_granted else ""
            return f"found for {self._search}: {len(self)} of the granted tables{more}; rows are {MARK}"
        others = ", ".join(self.not_granted)
        count = f"granted: {len(self)}; not granted: {others}" if others else f"granted: {len(self)}, all there are"
        return f"{count}; rows are {MARK}"


_HEAD = ("column", "名称", "type", "unit or values", "rule 脱敏规则")


def _row(column: Column) -> tuple[str, ...]:
    return (column.name, column.title, column.type, column.values, column.rule)


def _table(data: dict[str, Any]) -> Table:
    columns = tuple(Column(**each | {"enum": tuple(each["enum"])}) for each in data["columns"])
    return Table(**data | {"columns": columns})


def catalogue(search: str = "") -> Catalogue:
    """The granted tables with Chinese titles, units and rules; ``search`` filters by any of their words.

    >>> import lab
    >>> lab.catalogue("罚款").administrative_penalty.fine.unit
    '万元'
    >>> print(lab.catalogue("loan"))
    table             表         rows  columns
    ────────────────  ────────  ─────  ────────────────────────────────────────────────────────────
    loan_performance  信贷履约  6,000  subject, reported_on, overdue_days, _happened, _known, _ends
    found for loan: 1 of the granted tables; rows are invented 虚构
    """
    return Catalogue(gateway_client.get("/v1/catalogue", search=search, practice=practice().id), search)
