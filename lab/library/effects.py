"""``run.importance()`` and ``run.dependence(name)``: what a trained model makes of its features, from its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from credit.errors import Missing
from lab.library.display import html
from lab.library.display.result import Result
from models.features.feature_sql import hint

if TYPE_CHECKING:
    import pandas

    from lab.library.display.plots import Figure

_HEAD = ("up to 至", "points 分数")
ABOVE, NO_VALUE = "above 以上", "no value 缺失"


def importance_of(run: str, evidence: Mapping[str, Any]) -> Result:
    """The features and their importance in points, the largest first; raises :class:`Missing` for older evidence."""
    if not (importance := evidence.get("importance")):
        raise Missing("effects.not-measured", run=run)
    table = pa.table({"feature": list(importance), "points": [float(value) for value in importance.values()]})
    return Result(table, about="mean absolute contribution to the points 对分数的平均影响")


@dataclass(frozen=True, slots=True)
class Dependence:
    """The mean points of the judged rows if all had the same value of one feature.

    ``points`` are those at each of ``values`` and below, down to the one before; ``above`` beyond the last.
    """

    name: str
    values: tuple[float, ...]
    points: tuple[int, ...]
    above: int
    missing: int

    @classmethod
    def of(cls, name: str, evidence: Mapping[str, Any]) -> Dependence:
        """That of a feature; raises :class:`Missing` with the nearest name where the evidence has none."""
        measured = evidence.get("dependence") or {}
        if name not in measured:
            raise Missing("effects.no-dependence", name=str(name)[:60], remedy=hint(str(name), measured))
        each = measured[name]
        return cls(name, tuple(each["values"]), tuple(each["points"]), each["above"], each["missing"])

    def to_pandas(self) -> pandas.DataFrame:
        """The values and points, in a form that may be carried out as a table."""
        import pandas

        return pandas.DataFrame(self._rows(), columns=["up_to", "points"])

    def plot(self) -> Figure:
        """The points by value, as a matplotlib figure."""
        from lab.library.display import plots

        return plots.draw_dependence(self.name, self.values, self.points, self.above, self.missing)

    def __repr__(self) -> str:
        return f"{self.name}\n{html.text_table(_HEAD, self._rows(), {1})}"

    def _repr_html_(self) -> str:
        return html.table(_HEAD, self._rows(), caption=html.esc(self.name), right={0, 1})

    def _rows(self) -> list[tuple[str, int]]:
        known = [(f"{value:g}", points) for value, points in zip(self.values, self.points, strict=True)]
        return [*known, (ABOVE, self.above), (NO_VALUE, self.missing)]
