"""Dossiers hold every subject's records of an inquiry release, found by key, and end with it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from credit.actor import Actor
from credit.errors import Lapsed, Malformed, Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import Shelf
from models.scoring.snapshot_layout import DOSSIERS_FILE, OFFSETS_FILE, SUBJECTS_FILE
from models.snapshots.credit_files import make_dossiers

TODAY, BY = date(2026, 11, 1), Actor.parse("platform:bob")
KEYS = [f"{byte:02x}" + "0" * 30 for byte in (3, 130, 200)]
ROWS = [
    (KEYS[2], "D1", date(2026, 1, 5), None),
    (KEYS[0], "D2", date(2025, 1, 5), date(2028, 1, 5)),
    (KEYS[0], "D3", date(2026, 5, 5), None),
]


def released(shelf: Shelf, key: SigningKey, rows: list[Any], **more: Any) -> str:
    table = {
        "title": "行政处罚", "english": "Penalties", "source": "x", "rows": len(rows), "dated": True,
        "columns": {"subject": "VARCHAR", "n": "VARCHAR", "_happened": "DATE", "_known": "DATE", "_ends": "DATE"},
        "shown": {"n": {"title": "文号", "unit": "", "shown_to": "anyone"}}, "order": ["n"], "document": "n",
        "scope": None, "with_mandate": [], "state": None, "repairable": True,
    }  # fmt: skip
    terms = {"purpose": "inquiry", "as_of": TODAY.isoformat(), "buckets": 4, "tables": {"penalty": table}} | more
    with shelf.staging() as folder:
        (folder / "penalty").mkdir()
        for bucket in range(4):
            bucket_rows = [row for row in rows if int(row[0][:2], 16) * 4 // 256 == bucket]
            columns = list(zip(*bucket_rows, strict=True)) or [(), (), (), ()]
            made = pa.table({
                "subject": pa.array(columns[0], pa.string()), "n": pa.array(columns[1], pa.string()),
                "_happened": pa.array(columns[2], pa.date32()), "_known": pa.array(columns[2], pa.date32()),
                "_ends": pa.array(columns[3], pa.date32()),
            })  # fmt: skip
            pq.write_table(made, folder / "penalty" / f"bucket-{bucket:03d}.parquet")
        ends = TODAY + timedelta(days=60)
        return shelf.put(folder, Kind.RELEASE, parents=(), terms=terms, expires_on=ends, by=BY, key=key).id


def made(shelf: Shelf, keys: dict[str, SigningKey], tmp_path: Path, release: str, today: date = TODAY) -> Any:
    ledger = Ledger(tmp_path / "ledger.jsonl", keys["compute"], shelf.ring)
    return make_dossiers(
        release=shelf.open(release), shelf=shelf, key=keys["compute"], by=BY, ledger=ledger, today=today
    )


def test_each_dossier_is_read_by_its_key_newest_record_first(shelf: Shelf, keys: Any, tmp_path: Path) -> None:
    seal = made(shelf, keys, tmp_path, release := released(shelf, keys["custody"], ROWS))
    place = shelf.open(seal.id).path
    subjects, raw = (place / SUBJECTS_FILE).read_bytes(), (place / OFFSETS_FILE).read_bytes()
    ends = [int.from_bytes(raw[at : at + 8], "little") for at in range(0, len(raw), 8)]
    text = (place / DOSSIERS_FILE).read_bytes()
    assert [subjects[at : at + 16].hex() for at in range(0, len(subjects), 16)] == [KEYS[0], KEYS[2]]
    dossiers = [json.loads(text[start:end]) for start, end in pairwise(ends)]
    assert dossiers == [
        {"penalty": [["2026-05-05", None, "D3"], ["2025-01-05", "2028-01-05", "D2"]]},
        {"penalty": [["2026-01-05", None, "D1"]]},
    ]
    assert (seal.parents, seal.terms["subjects"], seal.expires_on) == ((release,), 2, TODAY + timedelta(days=60))
    assert made(shelf, keys, tmp_path, release).id == seal.id


def test_another_purpose_a_lapsed_and_an_empty_release_are_refused(shelf: Shelf, keys: Any, tmp_path: Path) -> None:
    for rows, more, today, error in (
        (ROWS, {"purpose": "scoring"}, TODAY, Malformed),
        (ROWS, {}, TODAY + timedelta(days=60), Lapsed),
        ([], {}, TODAY, Refused),
    ):
        release = released(shelf, keys["custody"], rows, **more)
        with pytest.raises(error):
            made(shelf, keys, tmp_path, release, today)
    assert not shelf.list(Kind.SNAPSHOT)
