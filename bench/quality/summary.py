"""From runs to the results that are kept: each way on each table, with intervals, and the tests over all tables.

A split by time has its interval by bootstrap over subjects; repeated folds have the corrected one of Nadeau and Bengio.
The difference from ours is paired, draw by draw or fold by fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from bench.quality import ranks
from bench.quality.ours import NAME
from bench.quality.runs import WAYS, Run

MEANS = ("ks", "brier", "log_loss", "ece", "seconds")
Result = Mapping[str, Any]


def summarise(done: Sequence[tuple[Run, Result]]) -> dict[str, Any]:
    """``{"tables": [{name, source, rows, bad, split, ways: {way: figures}}], "ranks": …, "against": …}``.

    Figures of a way: ``auc, low, high``, of the others ``gain, gain_low, gain_high`` (ours less theirs), and the means
    over the splits of ``ks, brier, log_loss, ece, seconds``.
    """
    tables: list[dict[str, Any]] = []
    for name in dict.fromkeys(run.table.name for run, _ in done):
        here = [(run, result) for run, result in done if run.table.name == name]
        table = here[0][0].table
        by_way = {way: [result for run, result in here if run.way == way] for way in WAYS}
        tables.append(
            {
                "name": name,
                "source": table.source,
                "rows": len(table.labels),
                "bad": int(table.labels.sum()),
                "split": _split(here[0][0], len(by_way[NAME])),
                "ways": {way: _way(result, by_way[NAME]) for way, result in by_way.items()},
            }
        )
    figures = np.array([[table["ways"][way]["auc"] for way in WAYS] for table in tables])
    mean = asdict(ranks.ranks(figures))
    return {
        "tables": tables,
        "ranks": mean | {"mean": dict(zip(WAYS, mean["mean"], strict=True))},
        "log_loss_ranks": dict(zip(WAYS, _log_loss_ranks(tables), strict=True)),
        "against": {
            way: asdict(ranks.signed_rank(figures[:, 0] - figures[:, place]))
            for place, way in enumerate(WAYS)
            if way != NAME
        },
    }


def _way(results: Sequence[Result], ours: Sequence[Result]) -> dict[str, float]:
    mean = {name: float(np.mean([each[name] for each in results])) for name in MEANS}
    auc, low, high = _interval(results, [each["auc"] for each in results], [each.get("draws") for each in results])
    figures = {"auc": auc, "low": low, "high": high}
    if results is not ours:
        gains = [own["auc"] - other["auc"] for own, other in zip(ours, results, strict=True)]
        draws = [
            None if own.get("draws") is None else np.subtract(own["draws"], other["draws"])
            for own, other in zip(ours, results, strict=True)
        ]
        gain, gain_low, gain_high = _interval(results, gains, draws)
        figures |= {"gain": gain, "gain_low": gain_low, "gain_high": gain_high}
    return {name: round(value, 6) for name, value in (figures | mean).items()}


def _interval(results: Sequence[Result], values: list[float], draws: list[Any]) -> tuple[float, float, float]:
    if draws[0] is not None:
        low, high = np.nanpercentile(draws[0], [2.5, 97.5])
        return values[0], float(low), float(high)
    return ranks.corrected(np.array(values), results[0]["train"], results[0]["test"])


def _split(run: Run, splits: int) -> str:
    table = run.table
    return f"trained before {table.border}" if table.border else f"{table.parts} folds × {splits // table.parts}"


def _log_loss_ranks(tables: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
    return ranks.ranks(-np.array([[table["ways"][way]["log_loss"] for way in WAYS] for table in tables])).mean
