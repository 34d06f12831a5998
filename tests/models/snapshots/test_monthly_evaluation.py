"""A month's evaluation says of every subject what the version says, what changed since last month, and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from credit.errors import Malformed, Refused
from credit.seal import Seal
from credit.shelf import OpenedSeal
from models.distributed.ray_cluster import Tasks
from models.scoring.scorer import Scorer
from models.scoring.snapshot_layout import ANSWERS_FILE, EVALUATION_FILE, MOVEMENTS_FILE, SUBJECTS_FILE
from models.snapshots.monthly_evaluation import (
    TOP_REASONS,
    PreviousEvaluation,
    evaluation_writer,
    previous_snapshot,
    require_period,
)
from tests.models.town import Town
from tests.models.world import subject

MARCH = date(2026, 3, 1)


@pytest.fixture(scope="module")
def march(town: Town) -> OpenedSeal:
    return town.shelf.open(town.snapshot(as_of=MARCH).id)


def evaluated(town: Town, march: OpenedSeal | None, **more: Any) -> Seal:
    card = Scorer.load(town.version.path).card
    last = PreviousEvaluation.open(march, town.shelf) if march else None
    return town.snapshot(extra_files=evaluation_writer(card, "2026-04", last), **more)


def test_the_table_has_the_values_of_the_snapshot(town: Town, march: OpenedSeal) -> None:
    opened = town.shelf.open(evaluated(town, march).id)
    table = pq.read_table(opened.path / EVALUATION_FILE).to_pydict()
    answers = np.load(opened.path / ANSWERS_FILE, allow_pickle=False)
    card = Scorer.load(town.version.path).card
    assert "".join(table["subject"]) == (opened.path / SUBJECTS_FILE).read_bytes().hex()
    assert table["grade"] == [card.grades[place] for place in answers["grade"]]
    assert table["points"] == answers["points"].tolist()
    assert set(table["district"]) == {"120101", "120102", "120103"}
    for row, reasons in enumerate(table["reasons"]):
        strength = dict(zip(card.names, np.abs(answers["contributions"][row]), strict=True))
        assert len(reasons) == TOP_REASONS
        assert min(strength[name] for name in reasons) >= max(strength[n] for n in card.names if n not in reasons)


def test_a_movement_is_the_difference_from_last_month(town: Town, march: OpenedSeal) -> None:
    seal = evaluated(town, march)
    opened = town.shelf.open(seal.id)
    table = pq.read_table(opened.path / EVALUATION_FILE).to_pydict()
    keys, then = (march.path / SUBJECTS_FILE).read_bytes(), np.load(march.path / ANSWERS_FILE, allow_pickle=False)
    before = {keys[16 * row : 16 * row + 16].hex(): answer for row, answer in enumerate(then)}
    grades = Scorer.load(town.version.path).card.grades
    for who, grade, points, last, change, movement in zip(
        *(table[n] for n in ("subject", "grade", "points", "last_grade", "change", "movement")), strict=True
    ):
        assert last == grades[before[who]["grade"]]
        assert change == points - before[who]["points"]
        step = grades.index(grade) - grades.index(last)
        assert movement == ("down" if step > 0 else "up" if step < 0 else "same")
    assert (seal.terms["period"], seal.terms["last"]) == ("2026-04", march.seal.id)
    movements = json.loads((opened.path / MOVEMENTS_FILE).read_text())
    assert {name: movements["moved"].get(name, 0) for name in ("up", "down", "same")} == {
        name: Counter(table["movement"])[name] for name in ("up", "down", "same")
    }
    assert sum(movements["moved"][m] for m in ("up", "down")), "the case is one where a subject moves"
    assert sum(count for _, _, count in movements["between"]) == movements["subjects"] == len(table["grade"])
    assert sum(sum(each.values()) for each in movements["by"]["district"].values()) == movements["subjects"]


def test_the_cause_is_the_largest_change_its_way_or_a_rule_that_newly_applies(town: Town, march: OpenedSeal) -> None:
    opened = town.shelf.open(evaluated(town, march).id)
    table = pq.read_table(opened.path / EVALUATION_FILE).to_pydict()
    now, then = (np.load(each.path / ANSWERS_FILE, allow_pickle=False) for each in (opened, march))
    names = Scorer.load(town.version.path).card.names
    moved = [row for row, change in enumerate(table["change"]) if change]
    assert moved
    for row in moved:
        cause = table["cause"][row]
        if cause.startswith("rule "):
            assert any(rule.startswith(cause.removeprefix("rule ")) for rule in table["rules"][row])
            continue
        way = np.sign(table["change"][row])
        change = dict(zip(names, way * (now["contributions"][row] - then["contributions"][row]), strict=True))
        assert change[cause] == max(change.values())


def test_without_a_month_before_all_are_new(town: Town) -> None:
    seal = evaluated(town, None)
    movements = json.loads((town.shelf.open(seal.id).path / MOVEMENTS_FILE).read_text())
    assert movements["moved"] == {"new": movements["subjects"], "same": 0, "up": 0, "down": 0, "gone": 0}
    assert seal.terms["last"] is None


def test_a_run_that_was_killed_goes_on_and_ends_the_same(town: Town, march: OpenedSeal, tmp_path: Path) -> None:
    whole, work, processed = evaluated(town, march), tmp_path / "work", []

    def two(fn: Callable[[int], int], buckets: list[int]) -> list[int]:
        for bucket in buckets[:2]:
            fn(bucket)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluated(town, march, work=work, map_buckets=two)
    done = {path.name: path.stat().st_mtime_ns for path in work.glob("*.npz")}
    assert sorted(done) == ["bucket-000.npz", "bucket-001.npz"]

    def rest(fn: Callable[[int], int], buckets: list[int]) -> list[int]:
        processed.extend(buckets)
        return [fn(bucket) for bucket in buckets]

    assert evaluated(town, march, work=work, map_buckets=rest).id == whole.id
    assert processed == [0, 1, 2, 3]
    assert {name: (work / name).stat().st_mtime_ns for name in done} == done


@pytest.mark.servers
def test_on_a_cluster_it_is_the_same_seal(town: Town, march: OpenedSeal, ray_cluster: Tasks) -> None:
    spread = evaluated(town, march, map_buckets=ray_cluster.map_tasks)
    assert spread.id == evaluated(town, march).id


def test_last_month_is_the_newest_snapshot_from_before(town: Town, march: OpenedSeal) -> None:
    evaluated(town, march)
    previous = previous_snapshot(town.shelf, "tiny", "2026-04")
    assert previous is not None
    assert previous.seal.id == march.seal.id
    assert previous_snapshot(town.shelf, "tiny", "2026-03") is None
    assert previous_snapshot(town.shelf, "other", "2026-04") is None


def test_a_subject_is_matched_by_its_whole_key(town: Town, march: OpenedSeal) -> None:
    last = PreviousEvaluation.open(march, town.shelf)
    keys = [bytes.fromhex(subject(number)) for number in (0, 7, 299)]
    unknown = keys[0][:8] + bytes(8)  # the same first half, and the key of no subject
    rows = last.rows_of(np.frombuffer(b"".join([*keys, unknown]), dtype=np.uint8).reshape(-1, 16))
    raw = (march.path / SUBJECTS_FILE).read_bytes()
    assert [raw[16 * row : 16 * row + 16] for row in rows[:3]] == keys
    assert rows[3] == -1 or raw[16 * rows[3] : 16 * rows[3] + 16] == unknown


def test_a_period_is_a_month_and_the_releases_own() -> None:
    require_period("2026-04", date(2026, 4, 30))
    with pytest.raises(Malformed, match="not a period"):
        require_period("2026-4", date(2026, 4, 1))
    with pytest.raises(Refused, match="another month than 2026-05"):
        require_period("2026-05", date(2026, 4, 1))
