"""Sample (样本): observations with features and outcomes, computed bucket by bucket from a release and an order.

Each bucket is computed independently, so the same code runs in one process and on a cluster; the results are joined in
the order of the buckets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Refused
from credit.messages import Text
from credit.shelf import OpenedSeal
from models.dataset.folds import fold_of, folds_by_period
from models.features.buckets import MapBuckets, Progress, map_sequentially, release_terms
from models.features.duckdb_engine import Limits, engine
from models.features.feature_sql import check_order
from models.features.observations import observe_labelled, population_columns, register_groups, usable_days
from models.features.outcomes import source_columns
from models.features.views import OBSERVED, compute_features, make_views, read_bucket
from models.order.order import Order


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """n observations of F features. A fold contains whole subjects, or whole days where the order folds by period."""

    subjects: list[str]  # pseudonyms, 32 hex
    as_of: NDArray[np.datetime64]  # (n,) days
    labels: NDArray[np.int8]  # (n,) 1 = defaulted
    features: NDArray[np.float64]  # (n, F), NaN where missing
    names: tuple[str, ...]  # (F,)
    fold: NDArray[np.int16]  # (n,)
    out_of_time: NDArray[np.bool_]  # (n,)
    groups: Mapping[str, list[str]] = field(default_factory=dict)  # by kind, of each observation (n,)

    def __len__(self) -> int:
        return len(self.subjects)


@dataclass(frozen=True, slots=True, eq=False)
class BucketSample:
    """The observations of one bucket."""

    subjects: list[str]
    as_of: NDArray[np.datetime64]
    labels: NDArray[np.int8]
    features: NDArray[np.float64]
    groups: Mapping[str, list[str]]


def build_sample(
    order: Order,
    release: OpenedSeal,
    *,
    map_buckets: MapBuckets | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> Sample:
    """Observe, compute features and label. ``map_buckets(fn, buckets)`` runs ``fn(bucket)`` over the buckets in order.

    Raises :class:`Refused` when there is nothing to observe, and :class:`Malformed` for SQL that does not fit the
    release.
    """
    terms = release_terms(release, "research")
    check_order(order, terms)
    as_of = date.fromisoformat(terms["as_of"])
    if not order.observe.event and not usable_days(order, as_of):
        raise Refused("sample.no-observation-day-known-outcome", as_of=as_of, model=order.model)
    task = partial(sample_bucket, order.as_json(), str(release.path), terms, limits or Limits())
    parts: list[BucketSample] = (map_buckets or map_sequentially(progress))(task, list(range(terms["buckets"])))
    subjects = [subject for part in parts for subject in part.subjects]
    as_of_days = np.concatenate([part.as_of for part in parts])
    sample = Sample(
        subjects,
        as_of_days,
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.features for part in parts]),
        order.names,
        np.array([fold_of(subject, order.split.folds) for subject in subjects], dtype=np.int16),
        np.zeros(len(subjects), dtype=np.bool_),
        {kind: [value for part in parts for value in part.groups[kind]] for kind in parts[0].groups},
    )
    sample = _mark_out_of_time(sample, order.split.out_of_time_from)
    if order.split.by == "period":
        return replace(sample, fold=folds_by_period(sample.as_of, sample.out_of_time, order.split.folds))
    return sample


def sample_bucket(
    order_json: Mapping[str, Any], release: str, terms: Mapping[str, Any], limits: Limits, bucket: int
) -> BucketSample:
    """The observations of one bucket. A module-level function of plain values, so that a cluster can run it."""
    order = Order.parse(order_json)
    query = check_order(order, terms)  # checked again here, in the process that runs it
    wanted = dict(query.tables)
    for table, columns in source_columns(order.label, terms).items():
        wanted[table] = wanted.get(table, frozenset()) | columns
    if order.population:
        wanted[order.population] = wanted.get(order.population, frozenset()) | population_columns(order, terms)
    with engine(limits) as database:
        read_bucket(database, Path(release), terms, bucket, wanted)
        database.lock_down()
        observe_labelled(database, order, terms)
        observed = database.fetch_arrays(f"SELECT key, as_of, label FROM {OBSERVED} ORDER BY number")
        make_views(database, query, terms, order.population)
        features = compute_features(database, query, order.names, len(observed["key"]))
        groups = register_groups(database, order, terms)
    return BucketSample(
        [str(key) for key in observed["key"]],
        observed["as_of"].astype("datetime64[D]"),
        observed["label"].astype(np.int8),
        features,
        groups,
    )


def _mark_out_of_time(sample: Sample, border: date | None) -> Sample:
    if not len(sample):
        raise Refused("sample.nobody-to-observe")
    if border is None:
        return sample
    late = sample.as_of >= np.datetime64(border, "D")
    if late.all() or not late.any():
        why = Text.of("sample.none-before" if late.all() else "sample.none-from", border=border)
        raise Refused("sample.order-cannot-be-judged-out", why=why)
    return replace(sample, out_of_time=np.asarray(late, dtype=np.bool_))
