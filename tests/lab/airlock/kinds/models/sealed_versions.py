"""Versions as compute seals them, trained on invented rows by compute's own code, on the shelf of a research zone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.actor import Actor, Role
from credit.keys import SigningKey
from credit.seal import Kind
from credit.shelf import Shelf
from models.boosting.booster import model_text_of, train_booster
from models.boosting.published_text import published_text
from models.boosting.recipe import Recipe
from models.dataset.cut_rows import cut_rows
from models.dataset.matrix import TrainingRows
from models.privacy.floors import load_floors
from models.privacy.leaf_recount import recount_leaves
from models.scoring.trees.model_text import read

NAMES = ("penalties_12m", "firm_age_years", "sales_12m", "tax_level")
SQL = "SELECT subject, count(*) AS penalties_12m\nFROM administrative_penalty\nGROUP BY subject"
RECIPE = Recipe(6, 0.1, 30, 40, 7)
MEASURED = {"auc": 0.75, "auc_low": 0.71, "auc_high": 0.79}
RATES = (0.02, 0.1)
TODAY = date(2026, 11, 24)
ROWS = 1_500
MAKER = Actor("worker", Role.PLATFORM)


def features(seed: int = 1, width: int = len(NAMES)) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Features (n, F) of counts and amounts, and labels (n,) that follow from them."""
    random = np.random.default_rng(seed)
    values = np.column_stack([random.poisson(3, (ROWS, (width + 1) // 2)), random.gamma(2, 300, (ROWS, width // 2))])
    odds = 0.5 * values[:, 0] - 0.002 * values[:, -1] + random.normal(size=ROWS)
    return values.astype(np.float64), (odds > np.quantile(odds, 0.75)).astype(np.int8)


def version_files(
    values: NDArray[np.float64],
    labels: NDArray[np.int8],
    names: Sequence[str] = NAMES,
    *,
    sql: str = SQL,
    recipe: Recipe = RECIPE,
    rates: tuple[float, float] = RATES,
    measured: Mapping[str, float] = MEASURED,
) -> dict[str, bytes]:
    """The files of a version that the airlock reads; each row is a subject."""
    rows = TrainingRows(values, labels, np.zeros(len(labels), dtype=np.int16), tuple(names), (0,) * len(names))
    cut, grid = cut_rows(rows)
    trained = model_text_of(train_booster(cut.features, cut.labels, cut.names, cut.directions, recipe))
    text = published_text(trained, cut, grid, load_floors().leaf_decimals)
    return files_of(text, cut, sql=sql, rates=rates, measured=measured)


def files_of(
    text: str,
    cut: TrainingRows,
    *,
    sql: str = SQL,
    rates: tuple[float, float] = RATES,
    measured: Mapping[str, float] = MEASURED,
) -> dict[str, bytes]:
    """The files of a version with a given text, whose leaves are counted on coarsened rows."""
    leaves = recount_leaves(read(text, cut.names), cut.features, cut.labels, cut.units)
    membership = {"tpr_at_1_percent": rates[0], "defaulted": {"tpr_at_1_percent": rates[1]}}
    evidence = {**measured, "membership": membership, "leaves": leaves.summary()}
    return {
        "model.txt": text.encode(),
        "version.json": as_json({"features": [{"name": name} for name in cut.names]}),
        "features.sql": sql.encode(),
        "evidence.json": as_json(evidence),
        "leaves.json": as_json(leaves.as_json()),
    }


def as_json(value: Any) -> bytes:
    """A value as the bytes of a file."""
    return json.dumps(value).encode()


def put(
    shelf: Shelf, keys: Mapping[str, SigningKey], files: Mapping[str, bytes], *, note: str = "", days: int = 30
) -> tuple[str, str]:
    """The ids of an order and of the version that was made from it; ``note`` makes orders differ."""
    ends = TODAY + timedelta(days=days)
    shared: dict[str, Any] = {"expires_on": ends, "by": MAKER}
    with shelf.staging() as folder:
        (folder / "order.json").write_bytes(as_json({"note": note}))
        order = shelf.put(folder, Kind.ORDER, parents=(), terms={"model": "enterprise"}, key=keys["research"], **shared)
    with shelf.staging() as folder:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        version = shelf.put(
            folder, Kind.VERSION, parents=(order.id,), terms={"model": "enterprise"}, key=keys["compute"], **shared
        )
    return order.id, version.id


def named(version: str) -> bytes:
    """The file with which a researcher names a version or a run."""
    return as_json({"run" if version.startswith("order") else "version": version})
