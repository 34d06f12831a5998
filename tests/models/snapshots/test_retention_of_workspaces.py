"""Practice tables and rows end as every seal does; the newest practice tables stay while they are valid."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from pathlib import Path

from credit.actor import Actor, Role
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from models.snapshots.retention import Retention

CITY, TODAY = Actor("chen", Role.CITY), date.today()


def test_what_workspaces_no_longer_need_is_due(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> None:
    shelf = Shelf(tmp_path / "shelf", ring)

    def put(kind: Kind, zone: str, as_of: str, days: int) -> Seal:
        with shelf.staging() as folder:
            (folder / "rows").write_text(as_of)
            terms = {"purpose": "research", "as_of": as_of}
            ends = TODAY + timedelta(days=days)
            return shelf.put(folder, kind, parents=(), terms=terms, expires_on=ends, by=CITY, key=keys[zone])

    old = put(Kind.PRACTICE, "custody", "2026-10-01", 180)
    while datetime.now(old.made_at.tzinfo) - old.made_at < timedelta(seconds=1):  # seals are dated to the second
        time.sleep(0.02)
    newest = put(Kind.PRACTICE, "custody", "2026-11-01", 180)
    older_day = put(Kind.PRACTICE, "custody", "2026-01-01", 180)
    rows = put(Kind.ROWS, "compute", "2026-10-01", 90)
    research = put(Kind.RELEASE, "custody", "2026-10-01", 180)

    def due(days: int) -> set[str]:
        answers = Ledger(tmp_path / "service.jsonl", keys["service"], ring, "service")
        rule = Retention(shelf, answers, TODAY + timedelta(days=days), 30, lambda *_, **__: None)
        return {each.seal.id for each in rule.due()}

    assert due(29) == set()
    assert due(31) == {old.id}, "of an older day is not newer"
    assert due(121) == {old.id, rows.id}
    assert due(211) == {old.id, newest.id, older_day.id, rows.id, research.id}
