"""A snapshot answers for every active subject from the version, release and day it names; a second build is equal."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from credit.errors import Broken, Lapsed, Refused
from credit.keys import KeyRing, SigningKey
from credit.seal import Kind
from credit.shelf import Shelf
from models.features.population import population_features
from models.scoring.scorer import Scorer
from models.scoring.snapshot_layout import ANSWERS_FILE, FEATURES_FILE, SUBJECTS_FILE
from models.snapshots.pointers import point_snapshot
from tests.models import world
from tests.models.town import Town
from tests.models.world import penalty

DAY = world.AS_OF


def test_it_holds_every_active_subject_with_the_answer_of_the_scorer(town: Town) -> None:
    steps: list[tuple[str, int, int]] = []
    seal = town.snapshot(progress=lambda *step: steps.append(step))
    opened = town.shelf.open(seal.id)
    keys = (opened.path / SUBJECTS_FILE).read_bytes()
    subjects = [keys[at : at + 16].hex() for at in range(0, len(keys), 16)]
    features = np.load(opened.path / FEATURES_FILE, allow_pickle=False)
    answers = np.load(opened.path / ANSWERS_FILE, allow_pickle=False)
    assert subjects == sorted({world.subject(n) for n in range(300)} | {world.subject(902)})
    assert seal.terms["subjects"] == len(subjects) == len(features) == len(answers)
    assert seal.terms["features"] == list(world.NAMES)
    scorer = Scorer.load(town.version.path)
    scores = scorer.score(features)
    np.testing.assert_array_equal(answers["probability"], scores.probability)
    np.testing.assert_array_equal(answers["points"], scores.points)
    assert [scorer.card.grades[place] for place in answers["grade"]] == scores.grades
    np.testing.assert_allclose(answers["base_points"] + answers["contributions"].sum(axis=1), answers["points"])
    one = world.subject(7)
    row = features[subjects.index(one)]
    fined = [
        each["fine"]
        for each in town.rows["penalty"]
        if each["subject"] == one and each["_happened"] >= date(2025, 4, 1)
    ]
    assert row[1] == len(fined)
    assert np.isnan(row[2]) if not fined else row[2] == sum(fined)
    assert steps[-1] == ("tiny: answers", 4, 4)


def test_made_again_it_is_the_same_seal_and_the_ledger_records_it_twice(town: Town) -> None:
    first, second = town.snapshot(), town.snapshot()
    assert first.id == second.id
    assert first.parents == (town.version.seal.id, first.terms["release"])
    assert first.expires_on == min(
        town.version.seal.expires_on, town.shelf.open(first.terms["release"]).seal.expires_on
    )
    assert {entry.verb for entry in town.ledger.about(first.id)} == {"snapshot.made"}


def test_the_platform_points_at_it(town: Town) -> None:
    seal = town.snapshot()
    point_snapshot(town.shelf, seal, key=town.keys["platform"])
    pointer = town.shelf.pointer("snapshot-tiny", {"platform"})
    assert pointer is not None
    wanted = {"model": "tiny", "snapshot": seal.id, "version": town.version.seal.id, "as_of": "2026-04-01"}
    assert wanted.items() <= pointer.items()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda town: {"as_of": date(2026, 4, 2)}, Refused, "older than the day of the snapshot.*2026-04-01"),
        (lambda town: {"today": date(2026, 12, 1)}, Lapsed, "release .* has lapsed"),
        (lambda town: {"today": date(2028, 1, 1)}, Lapsed, "version .* has lapsed"),
        (lambda town: {"release": town.scoring(purpose="research")}, Refused, "another purpose"),
        (
            lambda town: {"key": town.keys["platform"], "as_of": date(2026, 3, 1)},
            Broken,
            "not sealed by the zone platform",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(
    town: Town, change: Callable[[Town], dict[str, Any]], error: type[Exception], words: str
) -> None:
    before = {seal.id for seal in town.shelf.list(Kind.SNAPSHOT)}
    with pytest.raises(error, match=words):
        town.snapshot(**change(town))
    assert {seal.id for seal in town.shelf.list(Kind.SNAPSHOT)} == before


def test_a_version_of_other_features_than_its_order_is_broken(town: Town, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    card = json.loads((town.version.path / "version.json").read_bytes())
    text = (town.version.path / "model.txt").read_text()
    for feature in card["features"]:
        feature["name"] += "_x"
    for rule in card["rules"]:
        rule["feature"] += "_x"
    names = " ".join(world.NAMES)
    other = Scorer.of(text.replace(names, " ".join(f"{name}_x" for name in world.NAMES)), card)
    with pytest.raises(Broken, match="other features than its order"):
        town.snapshot(scorer=other)


def test_without_a_register_each_subject_of_one_table_is_observed_once(
    tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing
) -> None:
    who = [world.subject(number) for number in range(6)]
    rows = {"penalty": [penalty(each, date(2025, m, 3), fine=1.0) for each in who for m in (1, 2, 3)]}
    source = world.release(Shelf(tmp_path / "shelf", ring), keys["custody"], rows, buckets=4, purpose="scoring")
    sql = "SELECT o.subject, p.n AS n FROM observation o LEFT JOIN "
    sql += "(SELECT subject, count(*) AS n FROM penalty GROUP BY subject) p USING (subject)"
    feature = {"name": "n", "title": "n", "direction": 0, "reason": {"zh": "n", "en": "n"}}
    changes = {"subject_kind": None, "population": None, "tables": ["penalty"], "features": [feature], "rules": []}
    population = population_features(world.order(sql=sql, **changes), source, DAY)
    assert population.subjects == sorted(who)
    assert population.features[:, 0].tolist() == [3.0] * 6
