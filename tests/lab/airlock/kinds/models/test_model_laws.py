"""What leaves of a model is a copy from the shelf: nothing that was submitted, nothing that its page does not show."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.gate import Finding, Outcome
from credit.keys import SigningKey
from credit.shelf import Shelf
from lab.airlock.copies.shelf_models import ShelfModels
from lab.airlock.gate import ParcelJudgement, judge_parcel
from lab.airlock.issue import Issue
from lab.airlock.kinds.models.model_copy import ModelCopy
from lab.airlock.kinds.models.model_format import ModelFormat
from lab.airlock.thresholds import load
from models.boosting.recipe import Recipe
from models.dataset.cut_rows import cut_rows, in_time_rows
from models.promotion.gate import THRESHOLDS
from tests.lab.airlock.kinds.models.sealed_versions import (
    NAMES,
    TODAY,
    as_json,
    features,
    files_of,
    named,
    put,
    version_files,
)
from tests.models.privacy.memorising import memorising_case

pytestmark = pytest.mark.attack
T = load()
Keys = dict[str, SigningKey]


@cache
def honest(seed: int = 1) -> dict[str, bytes]:
    return version_files(*features(seed))


@pytest.fixture
def sealed(shelf: Shelf, keys: Keys) -> tuple[str, str]:
    """An order of the project, and its version."""
    return put(shelf, keys, honest())


def judge_named(shelf: Shelf, content: bytes, *orders: str, name: str = "model.json") -> ParcelJudgement:
    return judge_parcel({name: content}, models=ShelfModels(shelf, TODAY, frozenset(orders)))


def outcomes(judgement: ParcelJudgement) -> dict[str, Outcome]:
    """The worst outcome by check."""
    worst: dict[str, Outcome] = {}
    for each in judgement.verdict.findings:
        worst[each.check] = max(worst.get(each.check, Outcome.PASS), each.outcome, key=list(Outcome).index)
    return worst


def failed(judgement: ParcelJudgement) -> list[Finding]:
    return [each for each in judgement.verdict.findings if each.outcome is Outcome.FAIL]


def copied(shelf: Shelf, version: str) -> ModelCopy:
    read = ModelFormat(ShelfModels(shelf, TODAY)).read(named(version), T)
    assert not isinstance(read, Issue), read.why.render()
    return read.model


def test_a_run_of_the_project_leaves_as_a_copy_after_a_persons_look(shelf: Shelf, sealed: tuple[str, str]) -> None:
    order, version = sealed
    for name in (order, version):
        judgement = judge_named(shelf, named(name), order)
        assert failed(judgement) == []
        assert outcomes(judgement)["promotion"] is Outcome.REVIEW
        assert set(judgement.leaving) == {"model.json", "model.txt"}
        stated = json.loads(judgement.leaving["model.json"])
        assert stated == {"version": version, "copy": copied(shelf, version).id}


def test_what_is_stored_reads_back_and_leaves_again(shelf: Shelf, sealed: tuple[str, str]) -> None:
    order, version = sealed
    once = judge_named(shelf, named(version), order).leaving
    assert judge_named(shelf, once["model.json"], order).leaving == once
    other = once["model.json"].replace(b"copy-", b"copy-0", 1).replace(b'"\n}', b'"\n}')
    changed = re.sub(rb"copy-[0-9a-f]{64}", b"copy-" + b"0" * 64, other)
    assert [each.check for each in failed(judge_named(shelf, changed, order))] == ["reading"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(blanks=st.lists(st.text(" \t\r\n", max_size=5), min_size=6, max_size=6), escaped=st.integers(0, 70))
def test_no_spelling_of_the_name_changes_what_leaves(
    shelf: Shelf, sealed: tuple[str, str], blanks: list[str], escaped: int
) -> None:
    order, version = sealed
    at = escaped % len(version)
    id = f"{version[:at]}\\u{ord(version[at]):04x}{version[at + 1 :]}"
    parts = ["", "{", '"version"', ":", f'"{id}"', "}"]
    spelled = "".join(part + blank for part, blank in zip(parts, blanks, strict=True)).encode()
    assert judge_named(shelf, spelled, order).leaving == judge_named(shelf, named(version), order).leaving


@pytest.mark.parametrize("change", ["twice", "more", "list", "number", "short", "both", "copy alone"])
def test_only_the_name_is_read(shelf: Shelf, sealed: tuple[str, str], change: str) -> None:
    order, version = sealed
    given = {
        "twice": f'{{"version": "version-{"0" * 64}", "version": "{version}"}}'.encode(),
        "more": as_json({"version": version, "note": "0"}),
        "list": as_json([{"version": version}]),
        "number": as_json({"version": 3}),
        "short": as_json({"version": version[:20]}),
        "both": as_json({"version": version, "run": order}),
        "copy alone": as_json({"copy": f"copy-{'0' * 64}"}),
    }[change]
    judgement = judge_named(shelf, given, order)
    assert failed(judgement)
    assert "model.txt" not in judgement.leaving


def test_unequal_models_have_unequal_pages(shelf: Shelf, keys: Keys) -> None:
    copies = [copied(shelf, put(shelf, keys, honest(seed))[1]) for seed in (1, 2)]
    first = copies[0]
    figures = replace(first.figures, auc=0.5)
    others = [
        copies[1],
        replace(first, figures=figures),
        replace(first, in_production=True),
        replace(first, sql=("x",)),
    ]
    pages = {repr(ModelFormat().show(each)) for each in (first, *others)}
    assert len(pages) == 5
    assert all(line in repr(ModelFormat().show(first)) for line in first.text.splitlines())


def test_a_copy_has_the_declared_digits_and_predicts_nearly_the_same(shelf: Shelf, keys: Keys) -> None:
    values, _ = features()
    _, version = put(shelf, keys, honest())
    copy = copied(shelf, version)
    lines = dict(line.partition("=")[::2] for line in copy.text.splitlines())
    assert lines["copy_of"] == version
    assert lines["feature_names"].split() == sorted(lines["feature_names"].split())
    assert set(lines["monotone_constraints"].split()) == {"0"}
    for name, digits in (("leaf_value", T["model_leaf_decimals"]), ("threshold", T["model_threshold_digits"])):
        for word in " ".join(re.findall(rf"(?m)^{name}=(.*)$", copy.text)).split():
            decimals = word.partition(".")[2] if name == "leaf_value" else word.replace(".", "").strip("-0")
            assert len(decimals) <= digits or "e" in word
    counts = [int(n) for line in re.findall(r"(?m)^leaf_count=(.*)$", copy.text) for n in line.split()]
    assert min(counts) >= T["leaf_subjects_at_least"]
    assert {count % T["rounding_base"] for count in counts} == {0}
    assert set(" ".join(re.findall(r"(?m)^split_gain=(.*)$", copy.text)).split()) == {"0"}
    order = [NAMES.index(name) for name in copy.names]
    ours = lightgbm.Booster(model_str=copy.text).predict(values[:, order], raw_score=True)
    theirs = lightgbm.Booster(model_str=honest()["model.txt"].decode()).predict(values, raw_score=True)
    assert np.mean(np.abs(np.asarray(ours) - np.asarray(theirs)) < 0.01) > 0.99


def test_the_order_of_features_and_those_that_are_not_used_do_not_leave(shelf: Shelf, keys: Keys) -> None:
    values, labels = features()
    unused = np.zeros((len(values), 2))
    wide = np.column_stack([values, unused])
    names = (*NAMES, "employees", "capital")
    texts = []
    for order in (range(6), (5, 2, 4, 0, 3, 1)):
        files = version_files(wide[:, list(order)], labels, [names[n] for n in order])
        text = copied(shelf, put(shelf, keys, files)[1]).text
        assert "capital" not in text
        texts.append(re.search(r"(?m)^feature_names=.*$", text))
    assert all(texts)
    assert len({match[0] for match in texts if match}) == 1


def test_a_bare_text_is_refused_whoever_wrote_it(shelf: Shelf, sealed: tuple[str, str]) -> None:
    order, version = sealed
    for text in (honest()["model.txt"], copied(shelf, version).text.encode()):
        judgement = judge_named(shelf, text, order, name="model.txt")
        assert judgement.leaving == {}
        assert "lab.train" in failed(judgement)[0].evidence["fix"]


def test_a_model_of_another_project_leaves_only_from_production(shelf: Shelf, keys: Keys) -> None:
    _, version = put(shelf, keys, honest())
    assert outcomes(judge_named(shelf, named(version)))["origin"] is Outcome.FAIL
    shelf.set_pointer("champion-enterprise", {"version": version}, keys["platform"])
    judgement = judge_named(shelf, named(version))
    assert (outcomes(judgement)["origin"], outcomes(judgement)["promotion"]) == (Outcome.PASS, Outcome.PASS)


@pytest.mark.parametrize("kind", ["tiny", "forged", "shuffled"])
def test_what_memorises_does_not_leave(shelf: Shelf, keys: Keys, kind: str) -> None:
    """Sealed as if compute had made it: leaves of a few subjects, forged counts, and shuffled labels."""
    case = memorising_case(kind, 3)
    cut, _ = cut_rows(in_time_rows(case.sample, [0] * 5))
    measured = {"auc": 0.52, "auc_low": 0.49, "auc_high": 0.55} if kind == "shuffled" else {"auc_low": 0.7}
    order, version = put(shelf, keys, files_of(case.text, cut, measured=measured))
    checks = {each.check for each in failed(judge_named(shelf, named(version), order))}
    assert checks == {"discrimination" if kind == "shuffled" else "leaves"}


@pytest.mark.parametrize("missing", ["model.txt", "version.json", "features.sql", "evidence.json", "leaves.json"])
def test_a_version_that_lacks_a_file_does_not_leave(shelf: Shelf, keys: Keys, missing: str) -> None:
    files = {name: content for name, content in honest().items() if name != missing}
    order, version = put(shelf, keys, files)
    assert failed(judge_named(shelf, named(version), order))


def test_figures_that_are_missing_or_high_are_not_passed_over(shelf: Shelf, keys: Keys) -> None:
    evidence = json.loads(honest()["evidence.json"])
    for changed, wanted in (
        ({"membership": None}, {"membership": Outcome.FAIL}),
        ({"auc_low": None}, {"discrimination": Outcome.FAIL}),
        ({"membership": {"tpr_at_1_percent": 0.2, "defaulted": {"tpr_at_1_percent": 0.1}}},
         {"membership": Outcome.REVIEW}),
    ):  # fmt: skip
        files: dict[str, bytes] = {**honest(), "evidence.json": as_json(evidence | changed)}
        order, version = put(shelf, keys, files)
        assert wanted.items() <= outcomes(judge_named(shelf, named(version), order)).items()


def test_one_that_ended_or_is_nowhere_is_refused(shelf: Shelf, keys: Keys) -> None:
    order, version = put(shelf, keys, honest(), days=0)
    for name in (version, f"version-{'0' * 64}", f"order-{'0' * 64}"):
        assert failed(judge_named(shelf, named(name), order))


def test_in_a_workspace_the_shelf_is_not_seen() -> None:
    judgement = judge_parcel({"model.json": named(f"version-{'0' * 64}")})
    assert outcomes(judgement)["reading"] is Outcome.REVIEW
    assert judgement.leaving == {}


def test_the_limits_are_those_of_the_promotion_gate() -> None:
    gate: dict[str, Any] = yaml.safe_load(Path(THRESHOLDS).read_text(encoding="utf-8"))
    shared = ("leaf_rows_at_least", "leaf_subjects_at_least", "auc_low_at_least")
    for name in (*shared, "membership_all_at_most", "membership_defaulted_at_most"):
        assert T[name] == gate[name]


def test_a_recipe_of_many_leaves_is_written_whole(shelf: Shelf, keys: Keys) -> None:
    files = version_files(*features(3), recipe=Recipe(31, 0.2, 60, 20, 3))
    copy = copied(shelf, put(shelf, keys, files)[1])
    assert (copy.trees, copy.leaves) == (60, sum(map(len, json.loads(files["leaves.json"])["subjects"])))
