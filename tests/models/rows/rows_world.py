"""A small release, and compute as it makes rows of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from credit.actor import Actor, Role
from credit.catalogue import Catalogue
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Seal
from credit.shelf import Shelf
from models.distributed.ray_cluster import in_process
from models.features.duckdb_engine import Limits
from models.order.order import Order
from models.rows.make import make_rows
from models.rows.maker import Progress, RowsMaker
from models.rows.partition.stored import PartitionStore
from models.rows.policy import RowsPolicy, load_policy
from models.rows.request import RowsRequest
from tests.models import invented_release

DAY, TODAY = date(2025, 1, 1), invented_release.AS_OF
ALICE, BORIS = Actor("alice", Role.RESEARCHER), Actor("boris", Role.RESEARCHER)
SQL = """
SELECT o.subject, coalesce(p.penalties, 0) AS penalties, p.fines AS fines,
       date_diff('year', r.registered_on, o.as_of) AS years, l.overdue AS overdue
FROM observation o
LEFT JOIN registration r USING (subject)
LEFT JOIN (SELECT subject, count(*) AS penalties, sum(fine) AS fines FROM administrative_penalty GROUP BY subject) p
  USING (subject)
LEFT JOIN (SELECT subject, sum(overdue_days) AS overdue FROM loan_performance
  WHERE reported_on >= as_of - INTERVAL 6 MONTH GROUP BY subject) l USING (subject)
"""
OPEN = ("penalties", "fines", "years")
# In so small a town with so few columns a group is easily found again, and many default, so the limits are wider.
WIDE = {"in_five_at_most": 1.0, "guess_right_at_most": 0.5, "defaulted_half_at_most": 0.5}


class RowsWorld:
    """A shelf with a release of ``subjects``, and compute's ledger, key and partitions."""

    def __init__(self, root: Path, keys: dict[str, SigningKey], ring: KeyRing, *, subjects: int = 400) -> None:
        self.root, self.keys, self.ring = root, keys, ring
        self.shelf = Shelf(root / "shelf", ring)
        self.release = invented_release.release(self.shelf, keys["custody"], subjects=subjects)
        features = [
            {"name": name, "title": name, "direction": 0, "reason": {"zh": name, "en": name}}
            for name in (*OPEN, "overdue")
        ]
        tables = ["registration", "administrative_penalty", "loan_performance"]
        order = Order.parse(invented_release.declaration(tables=tables, features=features, sql=SQL))
        ledger = Ledger(root / "compute.jsonl", keys["compute"], ring, "compute")
        self.maker = RowsMaker(
            self.shelf,
            keys["compute"],
            ledger,
            PartitionStore(root / "partitions", ledger),
            policy(),
            {"enterprise": order},
            {},
            in_process(),
            Limits(),
            catalogue=Catalogue.load("city"),
        )

    def with_policy(self, **changes: Any) -> RowsMaker:
        """The same compute under another policy."""
        return replace(self.maker, policy=replace(self.maker.policy, **changes))

    def make(
        self,
        *,
        by: Actor = ALICE,
        project: str = "loans",
        maker: RowsMaker | None = None,
        progress: Progress | None = None,
        **changes: Any,
    ) -> Seal:
        """The rows of a request of one day, changed as given."""
        wanted = RowsRequest.parse({"kind": "enterprise", "sql": SQL, "as_of": [DAY.isoformat()], **changes})
        return make_rows(
            maker or self.maker, wanted, self.release, project=project, by=by, today=TODAY, progress=progress or silent
        )


def policy(**changes: Any) -> RowsPolicy:
    """The shipped policy, with the wider limits and a smaller least population."""
    shipped = load_policy()
    wider = replace(shipped, population=50, attacked=60, thresholds={**shipped.thresholds, **WIDE})
    return replace(wider, **changes)


def silent(label: str, done: int, total: int) -> None:
    """No progress is shown."""
