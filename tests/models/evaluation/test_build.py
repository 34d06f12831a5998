"""An evaluation is the same to the bit however it is made, sees no future, and its sheet is what its rows give."""

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

from credit.errors import Lapsed, Malformed, Refused
from credit.seal import Seal
from credit.shelf import OpenedSeal
from models.distributed.ray_cluster import Tasks
from models.evaluation.build import make_evaluation
from models.evaluation.monthly import PreviousMonth, month_writer, previous_month, require_period
from models.evaluation.renewal import renew_evaluations
from models.features.duckdb_engine import Limits
from models.scoring.evaluation.declaration import read_evaluation
from models.scoring.evaluation.points import evaluate_points
from models.scoring.evaluation.sheet import indicator_sheet
from models.scoring.snapshot_layout import (
    EVALUATION_FILE,
    MOVEMENTS_FILE,
    SUBJECTS_FILE,
    map_answers,
    map_features,
    read_keys,
)
from models.snapshots.pointers import point_snapshot
from tests.models import world
from tests.models.evaluation.small_evaluation import small
from tests.models.town import Town
from tests.models.world import firm, penalty, subject

MARCH = date(2026, 3, 1)


def evaluated(town: Town, **more: Any) -> Seal:
    arguments: dict[str, Any] = {
        "release": more.get("release") or town.scoring(), "shelf": town.shelf, "key": town.keys["compute"],
        "by": world.BOB, "as_of": world.AS_OF, "ledger": town.ledger,
    }  # fmt: skip
    return make_evaluation(small(), **arguments | more)


def month(town: Town, march: OpenedSeal | None, **more: Any) -> Seal:
    last = PreviousMonth.open(march) if march else None
    return evaluated(town, month=month_writer(small(), "2026-04", last), **more)


@pytest.fixture(scope="module")
def march(town: Town) -> OpenedSeal:
    return town.shelf.open(evaluated(town, as_of=MARCH).id)


def test_what_is_sealed_is_what_the_values_give(town: Town, march: OpenedSeal) -> None:
    seal = march.seal
    values, answers = np.asarray(map_features(march.path)), map_answers(march.path)
    evaluation = read_evaluation(seal.terms["evaluation"])
    result = evaluate_points(evaluation, values)
    assert (answers["points"] == result.points).all()
    assert (answers["contributions"] == result.contributions).all()
    assert len(np.unique(answers["grade"])) > 1, "the case is one where grades differ"
    for row in range(0, len(values), 17):
        sheet = indicator_sheet(evaluation, values[row])
        assert sheet["points"] == answers["points"][row] / 100
    assert (seal.terms["usage"], seal.terms["version"]) == (["可用于信用评价"], evaluation.version)
    assert seal.terms["behind"]["fines"] == ["penalty"]
    assert len(read_keys(march.path)) == seal.terms["subjects"] == 301


def test_the_values_are_counted_as_of_the_day(town: Town) -> None:
    rows = {
        "registration": [firm(subject(1), date(2015, 1, 1)), firm(subject(2), date(2024, 1, 1))],
        "penalty": [
            penalty(subject(1), date(2025, 5, 3), fine=2.0),
            penalty(subject(1), date(2024, 5, 3), fine=9.0),  # before the window, and still in publication
            penalty(subject(1), date(2026, 3, 20), fine=5.0, known=date(2026, 4, 2)),  # not known on the day
            penalty(subject(1), date(2025, 9, 1), fine=7.0, _ends=date(2026, 3, 31)),  # its publication has ended
            penalty(subject(2), date(2026, 4, 1), fine=50.0),  # happened on the day itself
        ],
    }
    release = world.release(town.shelf, town.keys["custody"], rows, purpose="scoring")
    opened = town.shelf.open(evaluated(town, release=release).id)
    by_key = dict(zip(map(bytes, read_keys(opened.path)), np.asarray(map_features(opened.path)), strict=True))
    general, fines, years, standing = by_key[bytes.fromhex(subject(1))]
    assert (general, fines, years, standing) == (1, 11, 11, 2)
    assert np.isnan(by_key[bytes.fromhex(subject(2))]).tolist() == [True, True, False, True]
    sheet = indicator_sheet(small(), by_key[bytes.fromhex(subject(1))])
    assert [each["points"] for each in sheet["families"]] == [-32.75, 15.0]


def test_made_twice_in_parts_or_on_other_buckets_it_is_the_same_seal(
    town: Town, march: OpenedSeal, tmp_path: Path
) -> None:
    whole, work, processed = month(town, march), tmp_path / "work", []

    def two(fn: Callable[[int], int], buckets: list[int]) -> list[int]:
        for bucket in buckets[:2]:
            fn(bucket)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        month(town, march, work=work, map_buckets=two)
    done = {path.name: path.stat().st_mtime_ns for path in work.glob("*.npz")}

    def rest(fn: Callable[[int], int], buckets: list[int]) -> list[int]:
        processed.extend(buckets)
        return [fn(bucket) for bucket in buckets]

    assert month(town, march, work=work, map_buckets=rest).id == whole.id
    assert (processed, sorted(done)) == ([0, 1, 2, 3], ["bucket-000.npz", "bucket-001.npz"])
    assert {name: (work / name).stat().st_mtime_ns for name in done} == done
    other = evaluated(town, release=town.scoring(buckets=1))
    plain = evaluated(town)
    for name in ("subjects.bin", "features.npy", "answers.npy"):
        assert town.shelf.open(other.id).path.joinpath(name).read_bytes() == (
            town.shelf.open(plain.id).path.joinpath(name).read_bytes()
        )


@pytest.mark.servers
def test_on_a_cluster_it_is_the_same_seal(town: Town, march: OpenedSeal, ray_cluster: Tasks) -> None:
    assert month(town, march, map_buckets=ray_cluster.map_tasks).id == month(town, march).id


def test_a_repair_makes_it_again_and_reuses_what_has_not_changed(town: Town) -> None:
    before = evaluated(town)
    point_snapshot(town.shelf, before, key=town.keys["platform"])
    rows = {**town.rows, "penalty": town.rows["penalty"][1:]}
    amended = world.release(town.shelf, town.keys["custody"], rows, purpose="scoring", buckets=4)
    shared: dict[str, Any] = {"key": town.keys["compute"], "by": world.BOB, "ledger": town.ledger, "today": world.AS_OF}
    replaced = {str(before.terms["release"]): amended.seal.id}
    made = renew_evaluations(town.shelf, replaced, limits=Limits(), progress=lambda *_: None, **shared)
    assert made == {"public_enterprise": evaluated(town, release=amended).id}
    assert made["public_enterprise"] != before.id
    assert renew_evaluations(town.shelf, {}, limits=Limits(), progress=lambda *_: None, **shared) == {}


def test_the_months_table_has_every_subject_and_its_movement(town: Town, march: OpenedSeal) -> None:
    opened = town.shelf.open(month(town, march).id)
    table = pq.read_table(opened.path / EVALUATION_FILE).to_pydict()
    answers, then = map_answers(opened.path), map_answers(march.path)
    assert "".join(table["subject"]) == (opened.path / SUBJECTS_FILE).read_bytes().hex()
    assert table["points"] == (answers["points"] / 100).tolist()
    place = {bytes(key).hex(): row for row, key in enumerate(read_keys(march.path))}
    evaluation, moved = small(), 0
    for row, who in enumerate(table["subject"]):
        earlier = then[place[who]]
        assert table["last_grade"][row] == evaluation.grades[earlier["grade"]]
        assert round(table["change"][row] * 100) == int(answers["points"][row]) - int(earlier["points"])
        step = int(answers["grade"][row]) - int(earlier["grade"])
        assert table["movement"][row] == ("down" if step > 0 else "up" if step < 0 else "same")
        if table["change"][row] and not str(table["cause"][row]).startswith("rule "):
            change = answers["contributions"][row].astype(int) - earlier["contributions"]
            way = np.sign(table["change"][row])
            assert way * change[evaluation.names.index(table["cause"][row])] == max(way * change)
            moved += 1
    assert moved, "the case is one where a subject moves"
    movements = json.loads((opened.path / MOVEMENTS_FILE).read_text())
    assert {name: movements["moved"][name] for name in ("up", "down", "same")} == {
        name: Counter(table["movement"])[name] for name in ("up", "down", "same")
    }
    assert (opened.seal.terms["period"], opened.seal.terms["last"]) == ("2026-04", march.seal.id)
    assert set(table["district"]) == {"120101", "120102", "120103"}


def test_without_a_month_before_all_are_new_and_last_month_is_the_newest_from_before(
    town: Town, march: OpenedSeal
) -> None:
    seal = month(town, None)
    movements = json.loads((town.shelf.open(seal.id).path / MOVEMENTS_FILE).read_text())
    assert movements["moved"] == {"new": movements["subjects"], "same": 0, "up": 0, "down": 0, "gone": 0}
    previous = previous_month(town.shelf, "public_enterprise", "2026-04")
    assert previous is not None
    assert previous.seal.id == march.seal.id
    assert previous_month(town.shelf, "public_enterprise", "2026-03") is None
    assert previous_month(town.shelf, "public_individual_business", "2026-04") is None


@pytest.mark.attack
def test_a_subject_is_matched_by_its_whole_key(march: OpenedSeal) -> None:
    last = PreviousMonth.open(march)
    keys = [bytes.fromhex(subject(number)) for number in (0, 7, 299)]
    unknown = keys[0][:8] + bytes(8)  # the same first half, and the key of no subject
    rows = last.rows_of(np.frombuffer(b"".join([*keys, unknown]), dtype=np.uint8).reshape(-1, 16))
    raw = (march.path / SUBJECTS_FILE).read_bytes()
    assert [raw[16 * row : 16 * row + 16] for row in rows[:3]] == keys
    assert rows[3] == -1 or raw[16 * rows[3] : 16 * rows[3] + 16] == unknown


def test_what_may_not_be_evaluated_is_refused(town: Town) -> None:
    release = town.scoring()
    with pytest.raises(Refused, match="2026-05-01"):
        evaluated(town, release=release, as_of=date(2026, 5, 1))
    with pytest.raises(Lapsed):
        evaluated(town, release=release, today=date(2027, 6, 1))
    research = world.release(town.shelf, town.keys["custody"], town.rows)
    with pytest.raises(Refused, match="another purpose"):
        evaluated(town, release=research)
    with pytest.raises(Malformed, match="not a period"):
        require_period("2026-4", date(2026, 4, 1))
    with pytest.raises(Refused, match="another month than 2026-05"):
        require_period("2026-05", date(2026, 4, 1))
