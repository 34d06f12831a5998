"""The result of a query: a table that displays itself and converts to Arrow, pandas and polars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lab.library.display import html
from lab.library.duckdb_views import as_text

if TYPE_CHECKING:
    import pandas
    import polars

SHOWN = 20  # rows displayed
WIDEST = 60  # characters displayed of a cell
MARK = "invented 虚构"  # of what was computed from invented data


class Result:
    """A table with a description. ``whole`` is False when the query had more rows than were fetched.

    ``invented`` is True when its values are of no real subject, as all that is computed from practice tables: it is
    shown with the table, and goes with it as metadata of an Arrow table and in ``attrs`` of a pandas DataFrame.
    ``seal`` is the id of the rows or the table that it is; empty for a result of practice tables.
    """

    seal = ""

    def __init__(
        self, table: pa.Table, *, about: str = "", whole: bool = True, remark: str = "", invented: bool = False
    ) -> None:
        marked = {**(table.schema.metadata or {}), b"invented": b"true"} if invented else None
        self._table = table.replace_schema_metadata(marked) if marked else table
        self.about, self.whole, self._remark, self.invented = about, whole, remark, invented

    def arrow(self) -> pa.Table:
        """As a pyarrow Table."""
        return self._table

    def pandas(self) -> pandas.DataFrame:
        """As a pandas DataFrame."""
        frame: pandas.DataFrame = self._table.to_pandas()
        if self.invented:
            frame.attrs["invented"] = True
        return frame

    def polars(self) -> polars.DataFrame:
        """As a polars DataFrame."""
        import polars

        frame = polars.from_arrow(self._table)
        assert isinstance(frame, polars.DataFrame)
        return frame

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._table.column_names)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __getitem__(self, name: str) -> list[Any]:
        """A column's values as a list."""
        values: list[Any] = self._table.column(name).to_pylist()
        return values

    def _ipython_key_completions_(self) -> list[str]:
        return self.columns

    def __repr__(self) -> str:
        shape = html.text_table(self.columns, self._rows(), self._right()) if self.columns else ""
        return "\n".join(part for part in (shape, f"({self._size()}{self._mark()})", self._remark) if part)

    def _repr_html_(self) -> str:
        caption = f"{html.esc(self.about)} <span style='{html.QUIET}'>{html.esc(self._size())}</span> {self._badge()}"
        shown = html.table(self.columns, self._rows(), caption=caption, right=self._right())
        return html.block(shown, html.note(self._remark) if self._remark else "")

    def _size(self) -> str:
        count = len(self)
        size = f"{count:,} row{'s' if count != 1 else ''}" + ("" if self.whole else " fetched, and there are more")
        return size + (f", the first {SHOWN} shown" if count > SHOWN else "")

    def _mark(self) -> str:
        return f", {MARK}" if self.invented else ""

    def _badge(self) -> str:
        return f"<strong>{MARK}</strong>" if self.invented else ""

    def _rows(self) -> list[Sequence[str]]:
        lists = [column.to_pylist() for column in self._table.slice(0, SHOWN).columns]
        return [[_short(as_text(value)) for value in row] for row in zip(*lists, strict=True)]

    def _right(self) -> set[int]:
        kinds = self._table.schema.types
        return {place for place, kind in enumerate(kinds) if pa.types.is_integer(kind) or pa.types.is_floating(kind)}


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
