"""``lab.rows``: rows of features of real subjects, made in compute and mounted here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow.parquet as pq

from credit.errors import Malformed
from lab.library import read_report
from lab.library.display.result import Result
from lab.library.features import Checked, check
from lab.library.order_wait import made_of_order
from lab.library.orders import BASES
from lab.library.releases import newest
from lab.library.workspace_data import data_folder
from models.order.order import built_in


class Rows(Result):
    """Rows of a ROWS seal: one a subject and day, with a random key. ``seal`` is its id."""

    def __init__(self, seal: str, order: str, *, invented: bool = False) -> None:
        self.seal, self.order = seal, order
        read_report.add([seal])
        table = pq.read_table(data_folder() / "rows" / f"{seal}.parquet")
        super().__init__(table, about=f"rows 特征行 {seal[:17]}", invented=invented)


def rows(
    features: str | Checked | Sequence[str],
    *,
    as_of: date | str | Sequence[date | str] | None = None,
    kind: str = "enterprise",
    population: str = "",
    label: str = "",
    sample: int | None = None,
    release: str = "",
) -> Rows:
    """Rows of real subjects: ``features`` is feature SQL, or names of built-in features of the ``kind``.

    Compute runs the SQL over records: what runs on practice tables runs there. ``as_of`` is a first of a month or
    several, by default the last one of ``release``, which is one of ``lab.releases()`` and by default the newest;
    ``population`` a condition over open columns, as they are shown; ``label`` an outcome (``defaulted``); ``sample``
    about how many rows, in whole groups. All that is open is alike in groups of k or more, so a value is the mean of
    its group. Raises :class:`~credit.errors.Refused` with what would pass when the gate does not open.
    """
    days = [as_of] if isinstance(as_of, (str, date)) else list(as_of or [newest().as_of.replace(day=1)])
    wanted = {
        "kind": kind,
        "sql": _sql(features, kind),
        "as_of": [str(day) for day in days],
        "population": population,
        "label": label,
        "sample": sample,
        "release": release,
    }
    state = made_of_order("/v1/rows", wanted)
    return Rows(str(state["rows"]), str(state["id"]), invented=bool(state["invented"]))


def _sql(features: Any, kind: str) -> str:
    if isinstance(features, (str, Checked)):
        return check(features).query.sql
    if kind not in BASES:
        raise Malformed("rows.kind", kind=kind[:40], kinds=", ".join(BASES))
    order = built_in(kind)
    names = list(features) or list(order.names)
    chosen = ", ".join(f"q.{name} AS {name}" for name in names)
    return check(f"SELECT o.subject, {chosen} FROM observation o LEFT JOIN ({order.sql}) q USING (subject)").query.sql
