"""Snapshot (快照): features and answers of every living subject on a day, sealed for the service to look up.

::

    subjects.bin   n × 16 bytes: subject keys, sorted
    features.npy   (n, F) float64, NaN where missing; the names are in the seal's terms
    answers.npy    (n,) of probability, points, base_points, contributions (F), grade (its place in the scorecard)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.actor import Actor
from credit.errors import Broken, Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import Opened, Shelf
from models.engine import Limits, engine
from models.features import check_order
from models.observations import observe_living, population_columns
from models.order import Order, open_order
from models.sample import MapBuckets, Progress, one_by_one, plain_terms
from models.scorer import Scorer
from models.views import OBSERVED, compute, make_views, read_bucket

CHUNK = 50_000  # subjects scored at a time
KEY_BYTES = 16


@dataclass(frozen=True, slots=True, eq=False)
class Living:
    """n subjects in the order of their keys, with features (n, F)."""

    subjects: list[str]
    features: NDArray[np.float64]


def features_for(
    order: Order,
    release: Opened,
    as_of: date,
    *,
    purpose: str = "scoring",
    map_buckets: MapBuckets | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> Living:
    """Features of every living subject on a day. Raises :class:`Refused` for a day after the release's own."""
    terms = plain_terms(release, purpose)
    check_order(order, terms)
    if as_of > date.fromisoformat(terms["as_of"]):
        raise Refused(
            "The release is older than the snapshot would say",
            why=f"it shows what was known on {terms['as_of']}, and the snapshot is of {as_of}",
            remedy="Make a new scoring release, or a snapshot of the release's day",
        )
    task = partial(living_bucket, order.as_json(), str(release.path), terms, as_of, limits or Limits())
    parts: list[Living] = (map_buckets or one_by_one(progress))(task, list(range(terms["buckets"])))
    subjects = [subject for part in parts for subject in part.subjects]
    if any(left >= right for left, right in pairwise(subjects)):
        raise Broken("The buckets of a release are not in the order of its subjects")
    return Living(subjects, np.concatenate([part.features for part in parts]))


def living_bucket(
    order_json: Mapping[str, Any], release: str, terms: Mapping[str, Any], as_of: date, limits: Limits, bucket: int
) -> Living:
    """The living subjects of one bucket. A plain function of plain values, so that a cluster can run it."""
    order = Order.parse(order_json)
    query = check_order(order, terms)
    wanted = dict(query.tables)
    if order.population:
        wanted[order.population] = wanted.get(order.population, frozenset()) | population_columns(order, terms)
    else:
        wanted = {table: frozenset() for table in order.tables} | wanted
    with engine(limits) as run:
        read_bucket(run, Path(release), terms, bucket, wanted)
        run.shut_in()
        observe_living(run, order, as_of)
        subjects = [row[0] for row in run.rows(f"SELECT key FROM {OBSERVED} ORDER BY number")]
        make_views(run, query, terms, order.population)
        return Living(subjects, compute(run, query, order.names, len(subjects)))


def make_snapshot(
    *,
    version: Opened,
    release: Opened,
    scorer: Scorer,
    shelf: Shelf,
    key: SigningKey,
    by: Actor,
    as_of: date,
    ledger: Ledger,
    today: date | None = None,
    map_buckets: MapBuckets | None = None,
    limits: Limits | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Seal:
    """Score every living subject with a version and seal it; the same version, release and day give the same seal.

    Raises :class:`~credit.errors.Lapsed` when version or release has ended by ``today`` (``as_of`` unless given).
    """
    for opened in (version, release):
        opened.seal.require_alive(today or as_of)
    order = open_order(shelf.open(version.seal.parents[0]))
    if order.names != scorer.card.names:
        raise Broken("A version has other features than its order", remedy="Train it again from its order")
    model = order.model
    step = None if progress is None else lambda done, total: progress(f"{model}: features", done, total)
    living = features_for(order, release, as_of, map_buckets=map_buckets, progress=step, limits=limits)
    if not living.subjects:
        raise Refused("There is nobody to score", why=f"no living subject of {model} is in the release")
    with shelf.making() as folder:
        step = None if progress is None else lambda done, total: progress(f"{model}: scores", done, total)
        _write(folder, living, scorer, step)
        terms = {
            "as_of": as_of.isoformat(),
            "model": model,
            "version": version.seal.id,
            "release": release.seal.id,
            "subjects": len(living.subjects),
            "features": list(order.names),
            "invented": bool(release.seal.terms.get("invented", False)),
        }
        ends = min(version.seal.expires_on, release.seal.expires_on)
        parents = (version.seal.id, release.seal.id)
        seal = shelf.put(folder, Kind.SNAPSHOT, parents=parents, terms=terms, expires_on=ends, by=by, key=key)
    because = {"version": version.seal.id, "release": release.seal.id, "as_of": as_of.isoformat()}
    ledger.append("snapshot.made", seal.id, by=by, because=because | {"subjects": len(living.subjects)})
    return seal


def point_snapshot(shelf: Shelf, seal: Seal, *, key: SigningKey) -> dict[str, Any]:
    """Say, in the platform's name, that this snapshot is the one its model answers from."""
    told = {name: seal.terms[name] for name in ("model", "version", "as_of")}
    return shelf.point(f"snapshot-{told['model']}", told | {"snapshot": seal.id}, key)


def _write(folder: Path, living: Living, scorer: Scorer, progress: Progress | None) -> None:
    count, features = len(living.subjects), living.features
    (folder / "subjects.bin").write_bytes(b"".join(map(bytes.fromhex, living.subjects)))
    np.save(folder / "features.npy", features)
    form = [("probability", "<f8"), ("points", "<f8"), ("base_points", "<f8")]
    told = np.dtype([*form, ("contributions", "<f8", (features.shape[1],)), ("grade", "i1")])
    answers = np.zeros(count, dtype=told)
    place = {grade: number for number, grade in enumerate(scorer.card.grades)}
    for start in range(0, count, CHUNK):
        scores = scorer.score(features[start : start + CHUNK])
        rows = answers[start : start + CHUNK]  # a view: writing here writes there
        rows["probability"], rows["points"], rows["base_points"] = scores.probability, scores.points, scores.base_points
        rows["contributions"] = scores.point_contributions
        rows["grade"] = [place[grade] for grade in scores.grades]
        if progress:
            progress(min(start + CHUNK, count), count)
    np.save(folder / "answers.npy", answers)
