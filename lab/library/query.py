"""``lab.sql`` and ``lab.sample``: query the practice tables as of a day up to their own. What they show is invented."""

from __future__ import annotations

from datetime import date

from credit.errors import Malformed
from lab.library import read_report
from lab.library.display.result import Result
from lab.library.duckdb_views import views
from lab.library.workspace_data import day, practice
from models.features.duckdb_engine import quote_identifier, quote_literal
from models.features.feature_sql import SUBJECT, hint

MOST = 1_000_000  # rows


def sql(query: str, as_of: date | str | None = None, *, most: int = MOST) -> Result:
    """Any SELECT over the granted practice tables as they were on the day ``as_of`` (default: their own day).

    Every result is marked as invented; the same SQL runs on records in ``lab.rows`` and ``lab.train``.

    ``most`` limits the rows fetched. Raises :class:`~credit.errors.Malformed` with the reason and the nearest name.

    >>> import lab
    >>> lab.sql("SELECT kind, count(*) AS firms FROM registration GROUP BY kind")
    kind        firms
    ──────────  ─────
    enterprise    200
    (1 row, invented 虚构)
    >>> lab.sql("SELECT count(*) AS penalties FROM administrative_penalty", as_of="2024-01-01")["penalties"]
    [95]
    >>> lab.sql("SELECT sum(fin) AS fines FROM administrative_penalty")
    Traceback (most recent call last):
    credit.errors.Malformed: There is no column fin. Did you mean fine?
    """
    current = practice()
    on = day(as_of, current)
    table, whole, read = views(current, on).query(query, most)
    read_report.add(read)
    remark = "" if whole else f"More than {most:,} rows: aggregate in SQL, or give most=…"
    return Result(table, about=f"as of {on}", whole=whole, remark=remark, invented=True)


def sample(n: int, seed: int = 0, table: str | None = None, *, as_of: date | str | None = None) -> Result:
    """``n`` rows of a table (the register unless named), the same for the same ``seed``.

    Rows are chosen by subject, in an order that ``seed`` shuffles: samples of two tables with one seed have the same
    subjects. Raises :class:`~credit.errors.Malformed` for a table that does not exist, or an ``n`` that is not positive
    or too large.

    >>> import lab
    >>> len(lab.sample(5)), lab.sample(5)["subject"] == lab.sample(5)["subject"]
    (5, True)
    >>> lab.sample(5, seed=1)["subject"] == lab.sample(5)["subject"]
    False
    """
    current = practice()
    name = table or current.register
    if name is None:
        raise Malformed("query.which-table")
    if name not in current.granted:
        raise Malformed("query.no-table", remedy=hint(name, current.granted), name=name)
    if not 0 < n <= MOST:
        raise Malformed("query.not-sample-size", n=n, limit=MOST)
    shuffled = f"md5(concat({SUBJECT}, {quote_literal(str(seed))}))"
    rows = sql(f"SELECT * FROM {quote_identifier(name)} ORDER BY {shuffled}, * LIMIT {int(n)}", as_of)
    return Result(rows.arrow(), about=f"{len(rows)} rows of {name}, {rows.about}", invented=True)
