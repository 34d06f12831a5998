"""Renewal (更新): after a repair the public evaluations in use are made again from the amended release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from credit.actor import Actor
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.shelf import Shelf
from models.evaluation.build import make_evaluation
from models.evaluation.shipped import KINDS
from models.features.duckdb_engine import Limits
from models.scoring.evaluation.declaration import NAME_PREFIX, read_evaluation
from models.snapshots.renewal import snapshot_in_use


def renew_evaluations(
    shelf: Shelf,
    replaced: Mapping[str, str],
    *,
    key: SigningKey,
    by: Actor,
    ledger: Ledger,
    today: date,
    limits: Limits,
    progress: Callable[[str, int, int], None],
) -> dict[str, str]:
    """Make again the evaluations in use whose release was replaced; gives ``{name: id}`` of what was made.

    Each is made by the declaration that it was made by, and its unchanged buckets are reused. Done twice it gives the
    same seals.
    """
    made = {}
    for kind in KINDS:
        name = f"{NAME_PREFIX}{kind}"
        before = snapshot_in_use(shelf, name, replaced)
        if before is None:
            continue
        progress(f"making {name} again", 0, 0)
        made[name] = make_evaluation(
            read_evaluation(before.seal.terms["evaluation"]),
            release=shelf.open(replaced[str(before.seal.terms["release"])], deep=False),
            shelf=shelf,
            key=key,
            by=by,
            ledger=ledger,
            as_of=date.fromisoformat(before.seal.terms["as_of"]),
            today=today,
            limits=limits,
            progress=progress,
            previous=before,
        ).id
    return made
