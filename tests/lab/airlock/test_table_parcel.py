"""A table that policy approved leaves as its model: as CSV and Parquet, and not with a label that runs as a formula."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.keys import SigningKey
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from lab.airlock.table_parcel import LEFT, carry_table_out
from tests.lab.airlock.review_zone import AUTHOR, PROJECT, TODAY, ReviewZone

pytestmark = pytest.mark.attack


def carried(zone: ReviewZone, keys: dict[str, SigningKey], columns: dict[str, Any]) -> Seal:
    """The parcel of a table that compute made with these columns."""
    terms = {"project": PROJECT, "approved_by": "policy", "verdict": {"thresholds": {}}, "invented": True}
    with zone.airlock.shelf.staging() as folder:
        pq.write_table(pa.table(columns), folder / "table.parquet")
        table = zone.airlock.shelf.put(
            folder, Kind.TABLE, parents=(zone.release,), terms=terms, expires_on=TODAY + timedelta(days=9),
            by=Actor("compute", Role.PLATFORM), key=keys["compute"],
        )  # fmt: skip
    outbox = Shelf(zone.airlock.settings.outbox, zone.airlock.shelf.ring)
    return carry_table_out(
        table.id, project=PROJECT, shelf=zone.airlock.shelf, outbox=outbox, key=zone.airlock.key,
        ledger=zone.airlock.ledger, by=AUTHOR, today=TODAY,
    )  # fmt: skip


def test_a_table_leaves_as_csv_and_parquet(zone: ReviewZone, keys: dict[str, SigningKey]) -> None:
    parcel = carried(zone, keys, {"kind": ["retail", "food", None], "count": [120, 85, 30], "mean": [0.5, 1.25, None]})
    opened = Shelf(zone.airlock.settings.outbox, zone.airlock.shelf.ring).open(parcel.id)
    assert set(opened.seal.files) == {"table.csv", "table.parquet"}
    written = (opened.path / "table.csv").read_bytes()
    assert written == b'"kind","count","mean"\n"retail",120,0.50\n"food",85,1.25\n,30,\n'
    again = pq.read_table(opened.path / "table.parquet")
    assert again.column("count").to_pylist() == [120, 85, 30]
    assert not again.schema.metadata


@pytest.mark.parametrize("label", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "＝1+1"])
def test_no_label_of_a_table_leaves_as_a_formula(zone: ReviewZone, keys: dict[str, SigningKey], label: str) -> None:
    for columns in ({"kind": ["retail", label], "n": [120, 85]}, {label: ["a", "b"], "n": [120, 85]}):
        with pytest.raises(Refused, match="may not leave"):
            carried(zone, keys, columns)
    assert not [entry for entry in zone.airlock.ledger.entries() if entry.verb == LEFT]
