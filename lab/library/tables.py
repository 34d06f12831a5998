"""``lab.table``: an aggregate table over the records themselves, made in compute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from lab.library import gateway_client
from lab.library.display.result import Result
from lab.library.export import Parcel
from lab.library.order_wait import made_of_order
from lab.library.releases import newest

PATH = "/v1/tables"


class MadeTable(Result):
    """The published cells of a TABLE seal. ``seal`` is its id, ``suppressed`` how many cells are not shown.

    ``noise`` is empty, or says how much was added: ``epsilon``, ``delta``, and how much of one subject counts.
    """

    def __init__(self, state: dict[str, Any]) -> None:
        made = state["table"]
        self.seal, self.order, self.suppressed = str(made["id"]), str(state["id"]), int(made["suppressed"])
        self.approved_by = str(made["approved_by"])
        self.noise = dict(made.get("noise") or {})
        remark = f"{self.suppressed} cells suppressed 隐去" if self.suppressed else ""
        remark = f"with noise 含噪声, epsilon {self.noise['epsilon']:g}" if self.noise else remark
        super().__init__(
            pa.table(made["columns"]),
            about=f"table 汇总表 {self.seal[:18]}",
            remark=remark,
            invented=bool(made["invented"]),
        )

    def carry_out(self) -> Parcel:
        """Carry the table out of the lab; the parcel, which has been received and is among ``lab.parcels()``.

        Raises :class:`~credit.errors.Refused` where policy asks for reviewers: use ``lab.carry_out`` then.
        """
        return Parcel(gateway_client.post(f"{PATH}/{self.order}/parcel"))


def table(
    sql: str,
    *,
    as_of: date | str | None = None,
    kind: str = "enterprise",
    release: str = "",
    at_most: Mapping[str, float] | None = None,
) -> MadeTable:
    """An aggregate table over records: ``SELECT district, count(*), avg(fine) … GROUP BY district``.

    Grouping columns, and ``count``, ``sum``, ``avg``, ``variance``, ``stddev``, ``median`` or ``quantile_cont`` of
    columns; ``as_of`` is a first of a month, ``kind`` the kind of subjects. Cells of too few subjects, dominated ones,
    and those that would isolate a few subjects beside what you or your project had before are suppressed; counts are
    rounded to 5, other values to 3 digits. Raises :class:`~credit.errors.Refused` with what would pass when too little
    is left.

    Where the platform's policy adds noise (differential privacy), counts, sums and means have noise instead, each table
    costs a part of your budget, and the sum or mean of a column needs the largest total that one subject may give to a
    group: ``at_most={"fine": 50000}``. The same question again gives the same table and costs nothing.
    """
    day = as_of if as_of is not None else newest().as_of.replace(day=1)
    wanted = {"kind": kind, "sql": sql, "as_of": str(day), "release": release}
    return MadeTable(made_of_order(PATH, wanted | ({"at_most": dict(at_most)} if at_most else {})))
