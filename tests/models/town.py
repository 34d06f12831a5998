"""A town of firms with a version trained on its release, on a real shelf."""

from __future__ import annotations

import copy
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from lab.order_placement import place_order
from models.dataset.sample import build_sample
from models.distributed.ray_cluster import in_process
from models.registry import version
from models.scoring.scorer import Scorer
from models.snapshots.build import make_snapshot
from models.training.fit import fit
from tests.models import world
from tests.models.world import firm, loan, penalty

DAY = world.AS_OF


def city(count: int = 300) -> dict[str, list[dict[str, Any]]]:
    """Firms of which the troubled are fined, pay late and default."""
    random = np.random.default_rng(5)
    rows: dict[str, list[dict[str, Any]]] = {"registration": [], "penalty": [], "loan": []}
    for number in range(count):
        who, risk = world.subject(number), random.random()
        rows["registration"].append(firm(who, date(int(random.integers(2000, 2024)), 1, 1)))
        rows["penalty"] += [
            penalty(who, date(2025, m, 3), fine=float(m)) for m in range(1, 13) if random.random() < risk / 3
        ]
        for quarter in (date(2024, 12, 31), *(date(2025, m, 28) for m in (3, 6, 9, 12)), date(2026, 3, 30)):
            overdue = 95 if random.random() < risk**2 / 2 else 30 if random.random() < risk / 2 else 0
            rows["loan"].append(loan(who, quarter, overdue))
    rows["registration"] += [
        firm(world.subject(900), status="注销", ended_on=date(2025, 5, 1)),
        firm(world.subject(901), kind="individual_business"),
        firm(world.subject(902)),
    ]
    return rows


class Town:
    """A trained version of the tiny order, on a shelf."""

    def __init__(self, root: Path, keys: dict[str, SigningKey], ring: KeyRing) -> None:
        self.keys, self.ring = keys, ring
        self._move_in(root)
        self.rows = city()
        source = world.release(self.shelf, keys["custody"], self.rows)
        research = Ledger(root / "research.jsonl", keys["research"], ring)
        arguments: dict[str, Any] = {"release": source, "shelf": self.shelf, "key": keys["research"], "today": DAY}
        order = world.order()
        placed = place_order(order, by=world.ALICE, ledger=research, **arguments)
        sample = build_sample(order, source)
        fitted = fit(order.as_json(), sample, in_process(), order=placed.id, release=source.seal.id)
        with self.shelf.staging() as folder:
            version.write_version(
                folder,
                text=fitted.text,
                scorecard=fitted.scorecard,
                sql=order.sql,
                features=sample.features,
                evidence=fitted.evidence,
                leaves=fitted.leaves,
            )
            seal = self.shelf.put(
                folder, Kind.VERSION, parents=(placed.id,), terms={"model": "tiny", "release": source.seal.id},
                expires_on=date(2027, 4, 1), by=world.ALICE, key=keys["compute"],
            )  # fmt: skip
        self.version = self.shelf.open(seal.id)

    def _move_in(self, root: Path) -> None:
        self.root, self.shelf = root, Shelf(root / "shelf", self.ring)
        self.ledger = Ledger(root / "ledger.jsonl", self.keys["compute"], self.ring)

    def copied(self, root: Path) -> Town:
        """The same town elsewhere, with a shelf and a ledger of its own: nothing is trained again."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        other = copy.copy(self)
        other._move_in(root)
        other.version = other.shelf.open(self.version.seal.id)
        return other

    def scoring(self, **more: Any) -> OpenedSeal:
        return world.release(self.shelf, self.keys["custody"], self.rows, **{"purpose": "scoring", "buckets": 4} | more)

    def snapshot(self, **more: Any) -> Seal:
        arguments: dict[str, Any] = {
            "version": self.version, "release": more.get("release") or self.scoring(),
            "scorer": Scorer.load(self.version.path), "shelf": self.shelf, "key": self.keys["compute"],
            "by": world.BOB, "as_of": DAY, "ledger": self.ledger,
        }  # fmt: skip
        return make_snapshot(**arguments | more)
