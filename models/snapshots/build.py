"""Snapshot (快照): features and answers of every active subject on a day, sealed for the service to look up.

Its files are those of :mod:`models.scoring.snapshot_layout`. The public evaluation is another seal of that kind, made
without a model: :mod:`models.evaluation.build`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from credit.actor import Actor
from credit.errors import Broken, Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from credit.usage_rights import LENDING_USE, require_use
from models.features.buckets import MapBuckets, map_sequentially
from models.features.duckdb_engine import Limits
from models.features.feature_sql import order_rights
from models.features.population import require_day
from models.lineage.lineage import bank_features, source_tables
from models.order.sealed_order import read_sealed_order
from models.scoring.scorecard import Scorecard
from models.scoring.scorer import Scorer
from models.scoring.snapshot_layout import answer_dtype, map_answers
from models.snapshots.batch_scores import score_buckets
from models.snapshots.bucket_files import BucketAnswers, iterate_buckets, write_arrays
from models.snapshots.reuse import reusable_buckets


def make_snapshot(
    *,
    version: OpenedSeal,
    release: OpenedSeal,
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
    work: Path | None = None,
    previous: OpenedSeal | None = None,
) -> Seal:
    """Score every active subject with a version and seal the result; the same version, release and day give the same
    seal.

    ``work`` keeps finished buckets across a run that is killed.
    ``previous`` is a verified snapshot whose unchanged buckets are reused, which saves time and changes no byte. Raises
    :class:`~credit.errors.Lapsed` when version or release has ended by ``today`` (default ``as_of``), and
    :class:`Refused` when there is no subject, and before any work when the right of a table that the model reads
    permits no score for a bank.
    """
    for opened in (version, release):
        opened.seal.require_not_expired(today or as_of)
    order = read_sealed_order(shelf.open(version.seal.parents[0]))
    if order.names != scorer.card.names:
        raise Broken("build.version-other-features-than-order")
    model, release_terms = order.model, require_day(order, release, as_of)
    rights = order_rights(order, release.seal.terms)
    require_use(rights, LENDING_USE)
    step = None if progress is None else lambda done, total: progress(f"{model}: answers", done, total)
    work_folder = tempfile.TemporaryDirectory(prefix="answers-") if work is None else nullcontext(str(work))
    with work_folder as folder, shelf.staging() as staged:
        work_path = Path(folder)
        work_path.mkdir(parents=True, exist_ok=True)
        mapper = map_buckets or map_sequentially(step)
        reused: dict[int, BucketAnswers] = {}
        if previous is not None:
            read = [*order.tables, *([order.population] if order.population else [])]
            reused = reusable_buckets(
                previous, version=version.seal.id, release=release, tables=read, as_of=as_of, shelf=shelf
            )
        done: dict[str, Any] = {"folder": work_path, "map_buckets": mapper, "limits": limits, "skip": reused}
        count = score_buckets(order, version, release, release_terms, as_of, **done) + sum(
            len(p.keys) for p in reused.values()
        )
        if not count:
            raise Refused("build.nobody-to-score", model=model)
        buckets, width = iterate_buckets(work_path, release_terms["buckets"], reused), len(order.names)
        write_arrays(staged, buckets, count, width, answer_dtype(width))
        terms = {
            "as_of": as_of.isoformat(),
            "model": model,
            "version": version.seal.id,
            "release": release.seal.id,
            "subjects": count,
            "features": list(order.names),
            "behind": source_tables(order.sql),  # the tables that each feature is computed from
            "bank_features": bank_features(order.sql, release_terms["tables"]),
            "usage": sorted(rights),  # whom the answers may serve
            "invented": bool(release.seal.terms.get("invented", False)),
            **({"notice": release.seal.terms["notice"]} if "notice" in release.seal.terms else {}),
        }
        ends = min(version.seal.expires_on, release.seal.expires_on)
        parents = (version.seal.id, release.seal.id)
        seal = shelf.put(staged, Kind.SNAPSHOT, parents=parents, terms=terms, expires_on=ends, by=by, key=key)
    details = {"version": version.seal.id, "release": release.seal.id, "as_of": as_of.isoformat()}
    ledger.append("snapshot.made", seal.id, by=by, details=details | {"subjects": count})
    return seal


def grade_shares(folder: Path, card: Scorecard) -> dict[str, Any]:
    """``{"subjects", "shares"}`` of a snapshot's folder: how many subjects, and the share of each grade (0 to 1)."""
    answers = map_answers(folder)
    counts = np.bincount(answers["grade"], minlength=len(card.grades))
    shares = {grade: float(count) / max(1, len(answers)) for grade, count in zip(card.grades, counts, strict=True)}
    return {"subjects": len(answers), "shares": shares}
