"""No text crashes the process: it is refused in words, or it scores. Tried in a process of its own."""

from __future__ import annotations

import json
import math
import random
import re
import subprocess
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from credit.errors import Malformed
from models.dataset.sample import Sample
from models.scoring.scorer import Scorer
from models.scoring.trees.model_text import read, without_settings
from models.training.fit import VersionContent
from tests.models import invented

ROOT = Path(__file__).parents[3]
MUTANTS = 2_000

# Reads texts, says for each whether it was refused or scored; a crash ends it early.
TRIAL = """
import json, sys
import numpy as np
from credit.errors import Malformed
from models.scoring.scorer import Scorer
from models.scoring.trees import walk
from models.scoring.trees.flat_forest import flatten
from models.scoring.trees.model_text import read
from models.scoring.treeshap.exact_reasons import TreeShap
request = json.load(sys.stdin)
rows = np.array([[0, 1, 2, 3, np.nan], [9, np.nan, -5, 0, 1], [np.nan] * 5, [np.inf] * 5], dtype=float)
for text in request["texts"]:
    try:
        if request["card"]:
            scores = Scorer.of(text, request["card"]).score(rows[:3])
            given = (scores.points, scores.point_contributions)
        else:
            forest = read(text, ["fines", "years", "noise", "rating", "blank"], foreign=True)
            trees = flatten(forest)
            given = (walk.margins(trees, rows), walk.leaves(trees, rows), TreeShap.of(trees, 5).contributions(rows))
        assert all(np.isfinite(each).all() for each in given)
        print("scored", flush=True)
    except Malformed:
        print("refused", flush=True)
"""


def sized(text: str) -> str:
    """The text with its tree sizes made right again, as a cunning author would."""
    head, rest = text.split("\n\n", 1)
    blocks = re.split(r"(?=^Tree=)", rest.removesuffix("end of trees\n"), flags=re.MULTILINE)[1:]
    sizes = " ".join(str(len(block)) for block in blocks)
    return re.sub(r"tree_sizes=.*", f"tree_sizes={sizes}", head) + "\n\n" + rest


def first(text: str, name: str, value: str) -> str:
    """The text with the first line ``name=`` saying ``value`` (``{}`` is what it said)."""
    match = re.search(rf"^{name}=(.*)$", text, flags=re.MULTILINE)
    assert match
    return sized(text[: match.start(1)] + value.replace("{}", match[1]) + text[match.end(1) :])


NAMED = {  # each of these crashes, hangs or fools LightGBM 4.7 itself
    "feature index out of range": ("split_feature", "99 0 0"),
    "child out of range": ("left_child", "99 -2 -3"),
    "leaf out of range": ("right_child", "-99 -3 -4"),
    "cycle": ("left_child", "0 -1 -2"),
    "short leaves": ("leaf_value", "0.1"),
    "many leaves": ("num_leaves", "100000"),
    "one leaf": ("num_leaves", "1"),
    "leaf not a number": ("leaf_value", "nan nan nan nan"),
    "leaf infinite": ("leaf_value", "inf 0 0 0"),
    "leaf value out of range": ("leaf_value", "1e300 -1e300 0 0"),
    "leaf beyond doubles": ("leaf_value", "1e999 0 0 0"),
    "threshold a word": ("threshold", "a b c"),
    "categorical": ("decision_type", "1 1 1"),
    "zero is missing": ("decision_type", "4 4 4"),
    "linear": ("is_linear", "1"),
    "counts that do not add up": ("leaf_count", "1 1 1 1"),
    "negative counts": ("leaf_count", "-5 1 1 1"),
    "other features": ("feature_names", "a b c d e"),
    "more features": ("max_feature_idx", "9"),
    "other objective": ("objective", "multiclass num_class:9"),
    "several classes": ("num_class", "3"),
    "other version": ("version", "v9"),
    "line too many": ("num_cat", "0\ncat_threshold=9"),
    "line twice": ("num_cat", "0\nnum_cat=0"),
    "blank number": ("shrinkage", ""),
    "two numbers": ("shrinkage", "1 1"),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_known_trap_is_refused(fitted: VersionContent, name: str) -> None:
    mutant = first(fitted.text, *NAMED[name])
    with pytest.raises(Malformed):
        read(mutant, invented.FEATURES)


def test_sizes_that_lie_a_truncated_and_a_huge_text_are_refused(fitted: VersionContent) -> None:
    text = fitted.text
    lying = text.replace("tree_sizes=", "tree_sizes=1", 1)
    none = re.sub("tree_sizes=.*", "tree_sizes=", text)
    for mutant in (
        lying,
        none,
        text[:-40],
        text[: len(text) // 2],
        "",
        "tree\n",
        "tree\nend of trees\n",
        text + "x" * 2**25,
    ):
        with pytest.raises(Malformed):
            read(mutant, invented.FEATURES)


def test_what_is_read_is_what_lightgbm_scores(fitted: VersionContent, sample: Sample) -> None:
    forest = read(fitted.text, invented.FEATURES)
    rows = sample.features[:300]
    total = np.zeros(len(rows))
    for tree in forest.trees:
        feature, threshold, nan = tree.split_feature.tolist(), tree.threshold.tolist(), tree.missing_is_nan.tolist()
        missing, lefts, rights = tree.missing_left.tolist(), tree.left.tolist(), tree.right.tolist()
        for number, row in enumerate(rows.tolist()):
            node = 0
            while node >= 0:
                value = row[feature[node]]
                if math.isnan(value):
                    left = missing[node] if nan[node] else threshold[node] >= 0
                else:
                    left = value <= threshold[node]
                node = lefts[node] if left else rights[node]
            total[number] += tree.leaf_value[~node]
    np.testing.assert_allclose(total, Scorer.of(fitted.text, fitted.scorecard).raw(rows), atol=1e-12)


@pytest.mark.parametrize("kind", ["ours", "foreign"])
def test_no_mutant_crashes_the_process(fitted: VersionContent, kind: str) -> None:
    text = small(foreign=kind == "foreign")
    chance = random.Random(11)
    request = {
        "texts": [mutant(text, chance) for _ in range(MUTANTS)],
        "card": fitted.scorecard if kind == "ours" else None,
    }
    command = [sys.executable, "-c", TRIAL]
    done = subprocess.run(
        command, input=json.dumps(request), capture_output=True, text=True, timeout=120, cwd=ROOT, check=False
    )
    answers = done.stdout.split()
    assert done.returncode == 0, f"mutant {len(answers)} ended the process: {done.stderr[-500:]}"
    assert len(answers) == MUTANTS
    assert answers.count("refused") > MUTANTS / 2
    assert answers.count("scored") > MUTANTS / 50, "mutants that pass are the ones that try the walk"


def small(*, foreign: bool) -> str:
    """A text of few trees; a foreign one has categories and zeros as missing."""
    sample = invented.sample(400)
    rows = np.nan_to_num(sample.features)
    more = {"zero_as_missing": True} if foreign else {"monotone_constraints": list(invented.DIRECTIONS)}
    parameters = {
        "objective": "binary",
        "num_leaves": 6,
        "verbosity": -1,
        "num_threads": 1,
        "min_data_per_group": 5,
        **more,
    }
    data = lightgbm.Dataset(
        rows if foreign else sample.features,
        sample.labels,
        feature_name=list(invented.FEATURES),
        categorical_feature=["rating"] if foreign else [],
    )
    return without_settings(lightgbm.train(parameters, data, 4).model_to_string())


def mutant(text: str, chance: random.Random) -> str:
    """The text with one thing wrong somewhere, sizes often put right."""
    lines = text.split("\n")
    places = [i for i, line in enumerate(lines) if "=" in line]
    at = chance.choice(places)
    name, _, value = lines[at].partition("=")
    words = value.split(" ")
    pick = chance.randrange(len(words))
    wrong = chance.choice(
        ["-1", "0", "1", "7", "-7", "255", "9" * 20, "1e308", "2147483648", "nan", "inf", "", "x", "-0"]
    )
    match chance.randrange(6):
        case 0 | 1 | 2:
            words[pick] = wrong
        case 3:
            del words[pick]
        case 4:
            words.insert(pick, wrong)
        case 5:
            chance.shuffle(words)
    lines[at] = f"{name}={' '.join(words)}"
    if chance.random() < 0.1:
        del lines[at]
    changed = "\n".join(lines)
    return sized(changed) if chance.random() < 0.9 and "\n\n" in changed else changed
