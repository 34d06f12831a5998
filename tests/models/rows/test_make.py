"""Rows show no subject: groups of k, whole or not at all, one partition a day, new keys, a gate that attacks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from credit.errors import Broken, Malformed, Refused
from credit.keys import KeyRing, SigningKey
from credit.seal import Kind, Seal
from models.rows.partition.stored import MADE
from models.rows.rows_file import FILE
from tests.models.rows.rows_world import BORIS, DAY, OPEN, SQL, RowsWorld


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, keys: dict[str, SigningKey], ring: KeyRing) -> RowsWorld:
    return RowsWorld(tmp_path_factory.mktemp("rows"), keys, ring)


def table_of(world: RowsWorld, seal: Seal) -> pa.Table:
    return pq.read_table(world.shelf.open(seal.id).path / FILE)


def looks(table: pa.Table, *names: str) -> Counter[Any]:
    """How many rows look the same in these columns."""
    return Counter(zip(*(map(str, table.column(name).to_pylist()) for name in names), strict=True))


def test_every_row_looks_like_k_others_in_all_that_is_open_and_in_each_market_table(world: RowsWorld) -> None:
    seal = world.make(label="defaulted")
    table, k = table_of(world, seal), world.maker.policy.k
    assert seal.kind is Kind.ROWS
    assert table.num_rows == seal.terms["rows"] > 300
    assert min(looks(table, *OPEN).values()) >= k
    assert min(looks(table, "overdue").values()) >= world.maker.policy.market_k
    assert len(looks(table, *OPEN)) > 20
    assert set(table.column("label").to_pylist()) <= {0, 1, None}
    verdict = seal.terms["verdict"]
    assert verdict["outcome"] == "pass"
    findings = {each["check"]: each["evidence"] for each in verdict["findings"]}
    assert set(findings) >= {"groups", "all-knowing", "few-records", "partners"}
    graded = findings["deidentification"]
    assert (graded["grade"], graded["standard"]) == (3, "GB/T 42460-2023")
    assert graded["risk_mean"] <= graded["risk_largest"] <= round(1 / k, 5)
    assert seal.terms["author"] == "alice"
    assert seal.terms["project"] == "loans"


def test_the_targets_of_a_neighbour_are_subjects_with_records(world: RowsWorld) -> None:
    """Drawn among all, most would have none, and the figures would rest on the few that are left."""
    for _ in range(3):
        verdict = world.make(maker=world.with_policy(attacked=4)).terms["verdict"]
        (few,) = [each["evidence"] for each in verdict["findings"] if each["check"] == "few-records"]
        assert {each["targets"] for name, each in few.items() if name.startswith("records_")} == {4}


def test_no_key_of_a_row_is_a_subject_and_none_comes_back(world: RowsWorld) -> None:
    first, second = table_of(world, world.make()), table_of(world, world.make(by=BORIS))
    keys = first.column("key").to_pylist(), second.column("key").to_pylist()
    subjects = {
        subject
        for path in (world.release.path / "registration").iterdir()
        for subject in pq.read_table(path).column("subject").to_pylist()
    }
    assert len(set(keys[0])) == len(keys[0])
    assert not set(keys[0]) & set(keys[1])
    assert not subjects & set(keys[0])
    assert looks(first, *OPEN) == looks(second, *OPEN)


def test_more_columns_never_split_a_group(world: RowsWorld) -> None:
    more = SQL.replace("p.fines AS fines", "p.fines AS fines, p.largest AS largest, p.last AS last").replace(
        "sum(fine) AS fines", "sum(fine) AS fines, max(fine) AS largest, max(decided_on) AS last"
    )
    table = table_of(world, world.make(sql=more))
    assert sorted(looks(table, *OPEN).values()) == sorted(looks(table, *OPEN, "largest", "last").values())
    made = [entry.object for entry in world.maker.ledger.entries() if entry.verb == MADE]
    assert len(made) == len(set(made))


def test_a_population_and_a_sample_are_whole_groups(world: RowsWorld) -> None:
    everyone = looks(table_of(world, world.make()), *OPEN)
    some = looks(table_of(world, world.make(population="penalties >= 1 AND years > 3")), *OPEN)
    drawn = looks(table_of(world, world.make(sample=150)), *OPEN)
    for chosen in (some, drawn):
        assert 0 < sum(chosen.values()) < sum(everyone.values())
        assert all(everyone[look] == count for look, count in chosen.items())
    assert 150 <= sum(drawn.values()) < 200


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"population": "overdue > 0"}, "rows.population-of-market"),
        ({"population": "penalties > 1e9"}, "rows.nobody"),
        ({"label": "defaulted", "as_of": ["2026-03-01"]}, "rows.outcome-not-known"),
        ({"sql": "SELECT subject FROM registration"}, "rows.no-column"),
        ({"as_of": ["2026-04-01"]}, "rows.day-after-release"),
        ({"as_of": ["2025-01-02"]}, None),
        ({"as_of": []}, None),
        ({"label": "happy"}, None),
        ({"sql": "SELECT subject, count(*) AS n FROM elsewhere GROUP BY subject"}, None),
    ],
)
def test_what_cannot_be_is_refused_in_words(world: RowsWorld, changes: dict[str, Any], what: str | None) -> None:
    with pytest.raises((Malformed, Refused)) as refused:
        world.make(**changes)
    if what is not None:
        assert refused.value.message.id == what
    assert refused.value.text("what", "zh") != refused.value.what


@pytest.mark.parametrize("population", ["overdue > 0", "penalties > 0 AND overdue > 0", "_happened > 0", "hidden = 1"])
def test_a_population_of_what_is_not_open_is_refused_before_anything_is_computed(
    world: RowsWorld, population: str
) -> None:
    steps: list[str] = []
    with pytest.raises((Malformed, Refused)):
        world.make(population=population, progress=lambda step, done, total: steps.append(step))
    assert steps == []


def test_a_label_that_policy_does_not_permit_is_refused(world: RowsWorld) -> None:
    with pytest.raises(Refused) as refused:
        world.make(label="defaulted", maker=world.with_policy(labels=()))
    assert refused.value.message.id == "rows.label-not-permitted"


def test_what_the_gate_refuses_comes_back_with_what_would_pass(world: RowsWorld) -> None:
    thresholds = {**world.maker.policy.thresholds, "defaulted_half_at_most": -1.0}
    with pytest.raises(Refused) as refused:
        world.make(label="defaulted", maker=world.with_policy(thresholds=thresholds))
    assert [finding.check for finding in refused.value.findings] == ["labels"]
    assert refused.value.advice.id == "rows.try-without-label"
    thresholds |= {"alone_at_most": -1.0, "defaulted_half_at_most": 1.0}
    with pytest.raises(Refused) as hopeless:
        world.make(maker=world.with_policy(thresholds=thresholds))
    assert hopeless.value.advice.id == "rows.nothing-passes"


def test_a_partition_that_is_missing_changed_or_too_fine_is_refused(
    tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing
) -> None:
    world = RowsWorld(tmp_path, keys, ring, subjects=150)
    world.make()
    with pytest.raises(Refused) as refused:
        world.make(maker=world.with_policy(k=9))
    assert refused.value.message.id == "rows.partition-too-fine"
    (path,) = (tmp_path / "partitions").iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x")
    with pytest.raises(Broken):
        world.make()
    path.unlink()
    with pytest.raises(Broken):
        world.make()
    path.write_bytes(content)
    assert world.make().terms["as_of"] == [DAY.isoformat()]


def test_earlier_rows_of_author_and_project_are_attacked_together(world: RowsWorld) -> None:
    world.make(
        project="others", sql="SELECT subject, max(fine) AS largest FROM administrative_penalty GROUP BY subject"
    )
    seal = world.make(project="others", by=BORIS)
    (together,) = [each for each in seal.terms["verdict"]["findings"] if each["check"] == "together"]
    assert together["evidence"]["earlier"] >= 1
    assert together["evidence"]["all_knowing"]["alone"] == 0.0
