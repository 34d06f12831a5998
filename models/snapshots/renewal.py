"""Renewal (更新): after a repair, what rests on an amended release is made again; what did not change is reused.

A bucket in which nothing changed is taken from the seal before, to the byte, so a renewal takes seconds. Done twice it
gives the same seals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from credit.actor import Actor
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.shelf import OpenedSeal, Shelf
from credit.versions import champion_of
from models.features.duckdb_engine import Limits
from models.scoring.scorer import Scorer
from models.snapshots.build import make_snapshot
from models.snapshots.credit_files import make_dossiers
from models.snapshots.pointers import DOSSIERS

MODELS = ("enterprise", "individual_business")


def renew(
    shelf: Shelf,
    replaced: Mapping[str, str],
    *,
    key: SigningKey,
    by: Actor,
    ledger: Ledger,
    today: date,
    limits: Limits,
    progress: Callable[[str, int, int], None],
) -> dict[str, Any]:
    """Make again the snapshots and credit files in use whose release was replaced.

    ``replaced`` maps the ids of releases to those of the new ones. Returns ``{"snapshots": {model: id}, "dossiers":
    id}`` of what was made. Raises :class:`~credit.errors.Broken` and :class:`~credit.errors.Lapsed` as their makers.
    """
    shared: dict[str, Any] = {"shelf": shelf, "key": key, "by": by, "ledger": ledger, "today": today, "limits": limits}
    made: dict[str, Any] = {"snapshots": {}}
    for name in (*MODELS, DOSSIERS):
        before = snapshot_in_use(shelf, name, replaced)
        if before is None:
            continue
        release = shelf.open(replaced[str(before.seal.terms["release"])], deep=False)
        progress(f"making {name} again", 0, 0)
        if name == DOSSIERS:
            made["dossiers"] = make_dossiers(release=release, previous=before, progress=progress, **shared).id
        elif champion := champion_of(shelf, name):
            version = shelf.open(champion)
            as_of = date.fromisoformat(before.seal.terms["as_of"])
            made["snapshots"][name] = make_snapshot(
                version=version,
                release=release,
                scorer=Scorer.load(version.path),
                as_of=as_of,
                previous=before,
                progress=progress,
                **shared,
            ).id
    return made


def snapshot_in_use(shelf: Shelf, name: str, replaced: Mapping[str, str]) -> OpenedSeal | None:
    """The snapshot of this name that the platform points at, every file verified, when its release was replaced."""
    pointer = shelf.pointer(f"snapshot-{name}", {"platform"})
    if pointer is None:
        return None
    release = str(shelf.open(str(pointer["snapshot"]), deep=False).seal.terms["release"])
    return shelf.open(str(pointer["snapshot"])) if replaced.get(release, release) != release else None
