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
    told: list[dict[str, Any]] = []
    for name in dict.fromkeys(run.table.name for run, _ in done):
        here = [(run, found) for run, found in done if run.table.name == name]
        table = here[0][0].table
        by_way = {way: [found for run, found in here if run.way == way] for way in WAYS}
        told.append(
            {
                "name": name,
                "source": table.source,
                "rows": len(table.labels),
                "bad": int(table.labels.sum()),
                "split": _split(here[0][0], len(by_way[NAME])),
                "ways": {way: _way(found, by_way[NAME]) for way, found in by_way.items()},
            }
        )
    figures = np.array([[table["ways"][way]["auc"] for way in WAYS] for table in told])
    mean = asdict(ranks.ranks(figures))
    return {
        "tables": told,
        "ranks": mean | {"mean": dict(zip(WAYS, mean["mean"], strict=True))},
        "log_loss_ranks": dict(zip(WAYS, _log_loss_ranks(told), strict=True)),
        "against": {
            way: asdict(ranks.signed_rank(figures[:, 0] - figures[:, place]))
            for place, way in enumerate(WAYS)
            if way != NAME
        },
    }


def _way(found: Sequence[Result], ours: Sequence[Result]) -> dict[str, float]:
    mean = {name: float(np.mean([each[name] for each in found])) for name in MEANS}
    auc, low, high = _interval(found, [each["auc"] for each in found], [each.get("draws") for each in found])
    told = {"auc": auc, "low": low, "high": high}
    if found is not ours:
        gains = [mine["auc"] - theirs["auc"] for mine, theirs in zip(ours, found, strict=True)]
        draws = [
            None if mine.get("draws") is None else np.subtract(mine["draws"], theirs["draws"])
            for mine, theirs in zip(ours, found, strict=True)
        ]
        gain, gain_low, gain_high = _interval(found, gains, draws)
        told |= {"gain": gain, "gain_low": gain_low, "gain_high": gain_high}
    return {name: round(value, 6) for name, value in (told | mean).items()}


def _interval(found: Sequence[Result], values: list[float], draws: list[Any]) -> tuple[float, float, float]:
    if draws[0] is not None:
        low, high = np.nanpercentile(draws[0], [2.5, 97.5])
        return values[0], float(low), float(high)
    return ranks.corrected(np.array(values), found[0]["train"], found[0]["test"])


def _split(run: Run, splits: int) -> str:
    table = run.table
    return f"trained before {table.border}" if table.border else f"{table.parts} folds × {splits // table.parts}"


def _log_loss_ranks(told: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
    return ranks.ranks(-np.array([[table["ways"][way]["log_loss"] for way in WAYS] for table in told])).mean
