"""Public evaluation (公共信用综合评价) of every active subject on a day, sealed for the service to look up.

The seal is a SNAPSHOT whose answers are points by indicators. It holds its declaration in its terms, so anyone with the
manifest can make each indicator sheet again. Evaluated for a month it holds the table of all subjects and the changes
since the month before as well (:mod:`models.evaluation.monthly`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from credit.actor import Actor
from credit.errors import Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from models.evaluation.buckets import evaluate_bucket
from models.evaluation.query import check_evaluation
from models.features.buckets import MapBuckets, map_sequentially, release_terms
from models.features.duckdb_engine import Limits
from models.scoring.evaluation.declaration import Evaluation
from models.scoring.snapshot_layout import evaluation_dtype
from models.snapshots.bucket_files import BucketAnswers, iterate_buckets, write_arrays
from models.snapshots.reuse import reusable_buckets

WriteMonth = Callable[[Path, Iterator[BucketAnswers]], dict[str, Any]]  # sealed folder, buckets -> more terms


def make_evaluation(
    evaluation: Evaluation,
    *,
    release: OpenedSeal,
    shelf: Shelf,
    key: SigningKey,
    by: Actor,
    ledger: Ledger,
    as_of: date,
    today: date | None = None,
    map_buckets: MapBuckets | None = None,
    limits: Limits | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    work: Path | None = None,
    month: WriteMonth | None = None,
    previous: OpenedSeal | None = None,
) -> Seal:
    """Evaluate every active subject and seal the result; the same evaluation, release and day give the same seal.

    ``work`` keeps finished buckets across a run that is killed; ``month`` writes the monthly table. ``previous`` is a
    verified evaluation whose unchanged buckets are reused, which changes no byte. Raises
    :class:`~credit.errors.Lapsed` when the release has ended by ``today`` (default ``as_of``), and :class:`Refused`
    for a day after the release's own, when there is no subject, and before any work when the right of a table that is
    read does not permit a public evaluation.
    """
    release.seal.require_not_expired(today or as_of)
    terms = release_terms(release, "scoring")
    checked = check_evaluation(evaluation, release.seal.terms)
    if as_of > date.fromisoformat(terms["as_of"]):
        raise Refused("evaluation.day-after-release", as_of=as_of, release_as_of=terms["as_of"])
    step = None if progress is None else lambda done, total: progress(f"{evaluation.name}: indicators", done, total)
    reused: dict[int, BucketAnswers] = {}
    if previous is not None and month is None:
        reused = reusable_buckets(
            previous, version=evaluation.version, release=release, tables=evaluation.tables, as_of=as_of, shelf=shelf
        )
    place = tempfile.TemporaryDirectory(prefix="evaluation-") if work is None else nullcontext(str(work))
    with place as folder, shelf.staging() as staged:
        Path(folder).mkdir(parents=True, exist_ok=True)
        described = {**terms, "tables": dict(release.seal.terms["tables"])} | _catalogue(release)
        task = partial(
            evaluate_bucket, dict(evaluation.data), (str(release.path), folder), described, as_of, limits or Limits()
        )
        wanted = [bucket for bucket in range(terms["buckets"]) if bucket not in reused]
        count = sum((map_buckets or map_sequentially(step))(task, wanted))
        count += sum(len(each.keys) for each in reused.values())
        if not count:
            raise Refused("build.nobody-to-score", model=evaluation.name)
        records = evaluation_dtype(len(evaluation.indicators))
        buckets = iterate_buckets(Path(folder), terms["buckets"], reused)
        write_arrays(staged, buckets, count, len(evaluation.measures), records)
        sealed: dict[str, Any] = {
            "as_of": as_of.isoformat(),
            "model": evaluation.name,
            "subject_kind": evaluation.subject_kind,
            "version": evaluation.version,
            "evaluation": dict(evaluation.data),
            "release": release.seal.id,
            "subjects": count,
            "behind": checked.sources,
            "usage": sorted(checked.rights),
            "invented": bool(release.seal.terms.get("invented", False)),
            **({"notice": release.seal.terms["notice"]} if "notice" in release.seal.terms else {}),
        }
        if month is not None:
            sealed |= month(staged, iterate_buckets(Path(folder), terms["buckets"]))
        seal = shelf.put(
            staged, Kind.SNAPSHOT, parents=(release.seal.id,), terms=sealed, expires_on=release.seal.expires_on, by=by,
            key=key,
        )  # fmt: skip
    details = {"evaluation": evaluation.version, "release": release.seal.id, "as_of": as_of.isoformat()}
    ledger.append("evaluation.made", seal.id, by=by, details=details | {"subjects": count})
    return seal


def _catalogue(release: OpenedSeal) -> dict[str, Any]:
    """The catalogue that the release names, by which older releases state their rights."""
    return {"catalogue": dict(release.seal.terms["catalogue"])} if "catalogue" in release.seal.terms else {}
