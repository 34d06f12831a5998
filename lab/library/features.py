"""``lab.check`` and ``lab.features``: check feature SQL as the compute zone does, and compute it for inspection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from credit.errors import Malformed
from lab.library import read_report
from lab.library.display import html
from lab.library.display.result import Result
from lab.library.workspace_data import PracticeTables, day, practice
from models.features.duckdb_engine import Engine, Limits, engine, quote_identifier
from models.features.feature_sql import SUBJECT, FeatureQuery
from models.features.feature_sql import check as check_features
from models.features.views import (
    OBSERVED,
    bucket_file,
    compute_features,
    make_views,
    raw_table,
    read_bucket,
    visible_at,
)

MOST = 20_000  # default number of subjects
SECONDS = 120.0  # for one bucket


@dataclass(frozen=True, slots=True)
class Checked:
    """Valid feature SQL: its text, the tables and columns it reads, and the features it computes."""

    sql: str
    query: FeatureQuery

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features."""
        return self.query.output

    def __repr__(self) -> str:
        return f"sound: gives {', '.join(self.names)}\n{html.text_table(('reads', 'columns'), self._rows())}"

    def _repr_html_(self) -> str:
        head = html.title("Sound 语句可用", f"gives {', '.join(self.names)}")
        return html.block(head, html.table(("reads 读取", "columns 数据项"), self._rows()))

    def _rows(self) -> list[tuple[str, str]]:
        return [(table, ", ".join(sorted(columns))) for table, columns in sorted(self.query.tables.items())]


def check(sql: str | Checked) -> Checked:
    """Check feature SQL against the granted tables, with the same check as for an order.

    It is one SELECT with ``subject`` and named columns, over granted tables and ``observation`` (``subject``,
    ``as_of``), grouped by and joined on ``subject``. Raises :class:`~credit.errors.Malformed` with a hint.

    >>> import lab
    >>> lab.check("SELECT subject, count(*) AS penalties FROM administrative_penalty GROUP BY subject")
    sound: gives penalties
    reads                   columns
    ──────────────────────  ───────
    administrative_penalty
    >>> lab.check("SELECT subject, sum(fines) AS total FROM administrative_penalty GROUP BY subject")
    Traceback (most recent call last):
    credit.errors.Malformed: The feature SQL is refused: there is no column fines. Did you mean fine?
    """
    if isinstance(sql, Checked):
        return sql
    current = practice()
    return Checked(sql, check_features(sql, current.schema, population=current.register))


class Look(Result):
    """Features of some subjects: displayed as a summary, with all values as a table."""

    def summary(self) -> Result:
        """One row per feature: share missing, number of distinct values, minimum, median, maximum."""
        rows = [_summary_of(name, self._table.column(name)) for name in self.columns if name != SUBJECT]
        names = ("feature", "missing", "distinct", "least", "median", "most")
        columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
        return Result(pa.table(columns), about=self.about, invented=self.invented)

    def __repr__(self) -> str:
        return f"{self.about}\n{self.summary()!r}"

    def _repr_html_(self) -> str:
        summary = self.summary()
        shown = html.table(
            summary.columns, summary._rows(), caption=f"{html.esc(self.about)} {self._badge()}", right=range(1, 6)
        )
        return html.block(shown, html.note(self._remark) if self._remark else "")


def features(sql: str | Checked, as_of: date | str | None = None, *, subjects: int = MOST) -> Look:
    """Compute features on the practice tables as of the day ``as_of``, for about ``subjects`` subjects (whole buckets).

    A subject without a row in the result of the SQL has a missing value. Raises :class:`~credit.errors.Malformed` when
    the SQL is refused, or returns two rows for a subject.

    >>> import lab
    >>> lab.features("SELECT subject, count(*) AS penalties FROM administrative_penalty GROUP BY subject")
    200 subjects as of 2026-03-01
    feature    missing  distinct  least  median  most
    ─────────  ───────  ────────  ─────  ──────  ────
    penalties    0.235        14      1       2    22
    (1 row, invented 虚构)
    """
    current, checked = practice(), check(sql)
    on, query = day(as_of, current), _query_for_every_subject(checked, current)
    read_report.add(query.tables)
    keys: list[str] = []
    parts: list[NDArray[np.float64]] = []
    for bucket in range(current.terms["buckets"]):
        keys_of_bucket, values = _bucket(current, query, checked.names, on, bucket)
        keys += keys_of_bucket
        parts.append(values)
        if len(keys) >= subjects:
            break
    values = np.concatenate(parts)
    columns: dict[str, Any] = {SUBJECT: keys}
    for place, name in enumerate(checked.names):
        columns[name] = pa.array(values[:, place], from_pandas=True)  # NaN is a missing value
    whole = bucket + 1 == current.terms["buckets"]
    remark = "" if whole else f"The first {bucket + 1} of {current.terms['buckets']} buckets; give subjects=… for more."
    return Look(
        pa.table(columns), about=f"{len(keys):,} subjects as of {on}", whole=whole, remark=remark, invented=True
    )


def for_every_subject(sql: str) -> str:
    """SQL with one row for every observation, and missing values where the given SQL has no row."""
    names = check(sql).names
    chosen = ", ".join(f"x.{name} AS {name}" for name in names)
    return (
        f"SELECT o.subject, {chosen}\nFROM observation o\nLEFT JOIN (\n{sql.strip().rstrip(';')}\n) x USING (subject)"
    )


def _query_for_every_subject(checked: Checked, current: PracticeTables) -> FeatureQuery:
    return check_features(for_every_subject(checked.sql), current.schema, population=current.register)


def _bucket(
    current: PracticeTables, query: FeatureQuery, names: tuple[str, ...], on: date, bucket: int
) -> tuple[list[str], NDArray[np.float64]]:
    terms, register = current.granted_terms(), current.register
    wanted = dict(query.tables)
    if register is not None:
        wanted[register] = wanted.get(register, frozenset()) | {"registered_on"}
    with engine(Limits(memory="1GB", seconds=SECONDS)) as run:
        read_bucket(run, current.folder, terms, bucket, wanted)
        if register is None:
            _keys_of(run, current, bucket)
        run.lock_down()
        _observe(run, current, on)
        keys = [row[0] for row in run.fetch_rows(f"SELECT key FROM {OBSERVED} ORDER BY number")]
        make_views(run, query, terms, register)
        return keys, compute_features(run, query, names, len(keys))


def _keys_of(run: Engine, current: PracticeTables, bucket: int) -> None:
    """Without a register, every key of a dated table is a subject: read all of them."""
    for name in current.granted:
        if current.dated(name):
            times = {SUBJECT: "VARCHAR", "_happened": "DATE", "_known": "DATE", "_ends": "DATE"}
            run.read_parquet(f"_keys_{name}", bucket_file(current.folder, name, bucket), times)


def _observe(run: Engine, current: PracticeTables, on: date) -> None:
    """Create the observations of a day: subjects registered by then, or, without a register, with a visible row."""
    date_ = f"DATE '{on}'"
    if current.register is not None:
        register = quote_identifier(raw_table(current.register))
        everyone = (
            f"SELECT DISTINCT subject AS key FROM {register} WHERE registered_on IS NULL OR registered_on <= {date_}"
        )
    else:
        each = [
            f"SELECT DISTINCT subject AS key FROM {quote_identifier(f'_keys_{name}')} t WHERE {visible_at('t', date_)}"
            for name in current.granted
            if current.dated(name)
        ]
        if not each:
            raise Malformed("features.nobody-to-look-at")
        everyone = " UNION ".join(each)
    run.execute(
        f"CREATE TABLE {OBSERVED} AS SELECT row_number() OVER (ORDER BY key) - 1 AS number, key, {date_} AS as_of "
        f"FROM ({everyone}) ORDER BY number"
    )


def _summary_of(name: str, column: pa.ChunkedArray) -> tuple[Any, ...]:
    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    known = values[~np.isnan(values)]
    missing = round(1 - len(known) / max(1, len(values)), 3)
    if not len(known):
        return name, missing, 0, None, None, None
    return name, missing, len(np.unique(known)), float(known.min()), float(np.median(known)), float(known.max())
