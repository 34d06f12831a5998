"""The population (在营主体): features of every subject that is active on a day, bucket by bucket from a scoring
release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Broken, Refused
from credit.shelf import OpenedSeal
from models.features.buckets import MapBuckets, Progress, map_sequentially, release_terms
from models.features.duckdb_engine import Limits, engine
from models.features.feature_sql import check_order
from models.features.observations import observe_population, population_columns
from models.features.views import OBSERVED, compute_features, make_views, read_bucket
from models.order.order import Order


@dataclass(frozen=True, slots=True, eq=False)
class PopulationFeatures:
    """n subjects in the order of their keys, with features (n, F)."""

    subjects: list[str]
    features: NDArray[np.float64]


def population_features(
    order: Order,
    release: OpenedSeal,
    as_of: date,
    *,
    purpose: str = "scoring",
    map_buckets: MapBuckets | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> PopulationFeatures:
    """Features of every active subject on a day. Raises :class:`Refused` for a day after the release's own."""
    terms = require_day(order, release, as_of, purpose)
    task = partial(population_bucket, order.as_json(), str(release.path), terms, as_of, limits or Limits())
    parts: list[PopulationFeatures] = (map_buckets or map_sequentially(progress))(task, list(range(terms["buckets"])))
    subjects = [subject for part in parts for subject in part.subjects]
    if any(left >= right for left, right in pairwise(subjects)):
        raise Broken("population.buckets-release-not-in-order")
    return PopulationFeatures(subjects, np.concatenate([part.features for part in parts]))


def require_day(order: Order, release: OpenedSeal, as_of: date, purpose: str = "scoring") -> dict[str, Any]:
    """The terms of a release that can show this order's features on a day; raises :class:`Refused` when it cannot."""
    terms = release_terms(release, purpose)
    check_order(order, terms)
    if as_of > date.fromisoformat(terms["as_of"]):
        raise Refused("population.release-older-than-snapshot-would", terms=terms["as_of"], as_of=as_of)
    return terms


def population_bucket(
    order_json: Mapping[str, Any], release: str, terms: Mapping[str, Any], as_of: date, limits: Limits, bucket: int
) -> PopulationFeatures:
    """The active subjects of one bucket. A module-level function of plain values, so that a cluster can run it."""
    order = Order.parse(order_json)
    query = check_order(order, terms)
    wanted = dict(query.tables)
    if order.population:
        wanted[order.population] = wanted.get(order.population, frozenset()) | population_columns(order, terms)
    else:
        wanted = {table: frozenset() for table in order.tables} | wanted
    with engine(limits) as database:
        read_bucket(database, Path(release), terms, bucket, wanted)
        database.lock_down()
        observe_population(database, order, as_of)
        subjects = [row[0] for row in database.fetch_rows(f"SELECT key FROM {OBSERVED} ORDER BY number")]
        make_views(database, query, terms, order.population)
        return PopulationFeatures(subjects, compute_features(database, query, order.names, len(subjects)))
