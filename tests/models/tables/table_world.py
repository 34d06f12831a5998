"""A small release, and compute as it makes tables of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from credit.actor import Actor, Role
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Seal
from credit.shelf import Shelf
from models.distributed.ray_cluster import in_process
from models.features.duckdb_engine import Limits
from models.order.order import Order
from models.tables.given_units import GivenUnits
from models.tables.make import make_table
from models.tables.maker import TableMaker
from models.tables.policy import load_table_policy
from models.tables.request import TableRequest
from models.tables.table_file import read_columns
from tests.models import invented_release

DAY, TODAY = date(2026, 1, 1), invented_release.AS_OF
ALICE, BORIS, CAROL = (Actor(name, Role.RESEARCHER) for name in ("alice", "boris", "carol"))
SQL = "SELECT year(registered_on) AS y, count(*) AS n FROM registration GROUP BY ALL"


class TableWorld:
    """A shelf with a release of ``subjects``, and compute's ledger, key and folder of tables."""

    def __init__(self, root: Path, keys: dict[str, SigningKey], ring: KeyRing, *, subjects: int = 500) -> None:
        self.root, self.keys, self.ring = root, keys, ring
        self.shelf = Shelf(root / "shelf", ring)
        self.release = invented_release.release(self.shelf, keys["custody"], subjects=subjects)
        self.ledger = Ledger(root / "compute.jsonl", keys["compute"], ring, "compute")
        self.given = GivenUnits(root / "tables", self.ledger)
        self.maker = TableMaker(
            self.shelf,
            keys["compute"],
            self.ledger,
            self.given,
            load_table_policy(),
            {"enterprise": Order.parse(invented_release.declaration())},
            in_process(),
            Limits(),
        )

    def with_policy(self, **changes: Any) -> TableMaker:
        """The same compute under another policy."""
        return replace(self.maker, policy=replace(self.maker.policy, **changes))

    def make(
        self,
        sql: str = SQL,
        *,
        by: Actor = ALICE,
        project: str = "loans",
        maker: TableMaker | None = None,
        day: date = DAY,
        order: str = "",
        at_most: Mapping[str, float] | None = None,
    ) -> Seal:
        """The table of some SQL."""
        data = {"kind": "enterprise", "sql": sql, "as_of": day.isoformat(), "at_most": dict(at_most or {})}
        wanted = TableRequest.parse(data)
        return make_table(
            maker or self.maker, wanted, self.release, project=project, by=by, today=TODAY, progress=silent, order=order
        )

    def columns(self, seal: Seal) -> dict[str, list[Any]]:
        """The columns of a table."""
        return read_columns(self.shelf.open(seal.id).path)


def silent(label: str, done: int, total: int) -> None:
    """No progress is shown."""
