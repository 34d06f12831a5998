"""``lab.measure``: a version of the project on other rows than its own, measured in compute."""

from __future__ import annotations

from typing import Any

from lab.library.order_wait import made_of_order
from lab.library.orders import Draft
from lab.library.training import Run
from lab.library.training import run as find
from models.order.order import Order

PATH = "/v1/measurements"


class Measurement:
    """A version on the rows of another order: ``evidence`` as that of a run, for ``lab.compare`` as well.

    ``on_training_days`` is the share of those rows that are of days on which the version was trained: its figures are
    better there than on days that it has not seen.
    """

    def __init__(self, run: Run, state: dict[str, Any]) -> None:
        measured = state["measured"]
        self.order, self.version, self.release = str(state["id"]), str(measured["version"]), str(measured["release"])
        self.model = f"{run.model} elsewhere"
        self.evidence: dict[str, Any] = dict(measured["evidence"])
        self.on_training_days = float(measured["on_training_days"])

    def __repr__(self) -> str:
        evidence, seen = self.evidence, self.on_training_days
        limits = f"({evidence['auc_low']:.3f} to {evidence['auc_high']:.3f})"
        figures = f"AUC {evidence['auc']:.3f} {limits}, KS {evidence['ks']:.3f}"
        remark = f"; {seen:.0%} of the rows are of days it was trained on 训练过的日期" if seen else ""
        return f"{self.version[:20]} on {evidence['rows']:,} other rows 其他样本: {figures}{remark}"


def measure(run: Run | str, order: Draft | Order, *, release: str = "") -> Measurement:
    """Measure the version of a run on the rows of another order: other days, another outcome, other subjects.

    Of ``order`` its subjects (``subject_kind``, ``population``), ``observe``, ``label`` and ``split`` count; the
    features are those of the run. The rows out of time are measured, in compute, and return as evidence. Raises
    :class:`~credit.errors.Missing` for a run that is not done, and :class:`~credit.errors.Refused` where the rows are
    too few, or differ in a few subjects from what you or your project had.
    """
    trained = find(run) if isinstance(run, str) else run
    return Measurement(trained, made_of_order(PATH, {"run": trained.id, "order": order.as_json(), "release": release}))
