"""Feature SQL over raw Parquet tables as of many days at once, the way ``models.features.views`` shows a release."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from bench.quality.tables import Floats
from models.features.duckdb_engine import Engine, Limits, engine

ROOT = Path(__file__).parents[2]


def declared(model: str) -> tuple[str, dict[str, int]]:
    """The feature SQL of one of ``models/declarations/real``, and the direction of each feature it declares."""
    folder = ROOT / "models" / "declarations" / "real"
    declaration = yaml.safe_load((folder / f"{model}.yaml").read_text(encoding="utf-8"))
    signs = {feature["name"]: int(feature["direction"]) for feature in declaration["features"]}
    return (folder / f"{model}.sql").read_text(encoding="utf-8"), signs


def observe(
    tables: Mapping[str, str], observed: str, sql: str, names: tuple[str, ...]
) -> tuple[Floats, dict[str, NDArray[Any]]]:
    """Features (n, F), and ``key, as_of, label`` of n observations.

    ``tables`` are SELECTs that give ``key`` and ``happened`` beside the columns that the feature SQL reads;
    ``observed`` is a SELECT of ``key, as_of, label`` over them, and of what else was known of an observation before it
    was made, such as the plan of an inspection. A view shows what happened before the day.
    """
    with engine(Limits(memory="3GB")) as run:
        for name, select in tables.items():
            run.execute(f"CREATE TABLE _raw_{name} AS {select}")
        run.execute(
            "CREATE TABLE _observed AS SELECT row_number() OVER (ORDER BY key, as_of) - 1 AS number, * "
            f"FROM ({observed})"
        )
        run.execute(
            "CREATE VIEW observation AS SELECT number AS subject, * EXCLUDE (number, key, label) FROM _observed"
        )
        for name in tables:
            run.execute(
                f"CREATE VIEW {name} AS SELECT o.number AS subject, o.as_of, t.* EXCLUDE (key, happened) "
                f"FROM _raw_{name} t JOIN _observed o ON t.key = o.key AND t.happened < o.as_of"
            )
        return _features(run, sql, names), run.fetch_arrays("SELECT key, as_of, label FROM _observed ORDER BY number")


def _features(run: Engine, sql: str, names: tuple[str, ...]) -> Floats:
    declaration = run.fetch_arrays(f"SELECT * FROM ({sql}) ORDER BY subject")
    return np.column_stack([np.asarray(declaration[name], dtype=np.float64) for name in names])
