"""Models that memorise, and honest ones, at the gate; and what the protection of a model costs it.

The models are made by the generator of the tests from invented samples of 700 subjects: labels shuffled, leaves of a
few subjects, forged counts, a message in the digits of the leaves, 25 of each. The loss and the membership figures are
of the built-in order on the invented city: a model trained on exact values, and one by cuts with rounded leaves.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from bench.compute.rows import home
from bench.record import record
from credit.releases import require_release
from models.boosting.booster import model_text_of, predict_margins, train_booster
from models.boosting.published_text import published_text
from models.boosting.recipe import Recipe
from models.dataset.cut_rows import cut_rows, in_time_rows
from models.dataset.sample import Sample, build_sample
from models.distributed.ray_cluster import in_process
from models.metrics.discrimination import auc
from models.order.order import load_declaration
from models.privacy.floors import load_floors
from models.scoring.trees import walk
from models.scoring.trees.flat_forest import flatten
from models.scoring.trees.model_text import read
from models.validation.membership import measure_membership
from tests.models.privacy.gate_of_memorising import failed_checks
from tests.models.privacy.memorising import cases, honest_case

MODELS, PAIRS = 100, 5
DATA = "invented samples of 700 subjects"
KINDS = ("enterprise", "individual_business")
RECIPE = Recipe(8, 0.05, 200, 80, 0, l2=10.0, feature_share=0.5, row_share=0.8)


def memorising_caught() -> None:
    """Of a hundred models that memorise, those that the gate stops."""
    caught: Counter[str] = Counter()
    for case in cases(MODELS):
        caught[case.kind] += bool(failed_checks(case))
    record("memorising_caught", caught.total(), "models of 100", data=DATA, goal=MODELS, more=dict(caught))


def honest_refused() -> None:
    """Of a hundred honest models, those that the same checks stop."""
    stopped: Counter[str] = Counter()
    refused = 0
    for number in range(MODELS):
        failed = failed_checks(honest_case(5_000 + number))
        refused += bool(failed)
        stopped.update(failed)
    record("honest_refused", refused, "models of 100", data=DATA, goal=1, more={"checks": dict(stopped)})


@cache
def city_sample(kind: str) -> tuple[Sample, list[int]]:
    """The sample of the built-in order of a kind, and the directions of its features."""
    order = load_declaration(Path("models/declarations") / f"{kind}.yaml")
    sample = build_sample(order, require_release(home().shelf, "research"))
    return sample, [feature.direction for feature in order.features]


def model_auc_loss() -> None:
    """AUC out of time that cuts and rounded leaves cost a model: the median of five pairs."""
    for kind in KINDS:
        sample, directions = city_sample(kind)
        raw = in_time_rows(sample, directions)
        rows, grid = cut_rows(raw)
        late, losses = sample.out_of_time, []
        for seed in range(PAIRS):
            recipe = Recipe.of(RECIPE.as_json() | {"seed": seed})
            exact = train_booster(raw.features, raw.labels, raw.names, raw.directions, recipe)
            text = model_text_of(train_booster(rows.features, rows.labels, rows.names, rows.directions, recipe))
            written = read(published_text(text, rows, grid, load_floors().leaf_decimals), raw.names)
            margins = walk.margins(flatten(written), sample.features[late])
            before = auc(sample.labels[late], predict_margins(exact, sample.features[late]))
            losses.append(before - auc(sample.labels[late], margins))
        more = {"kind": kind, "cuts": sum(map(len, grid.cuts)), "pairs": [round(loss, 5) for loss in losses]}
        name = "model_auc_loss" if kind == KINDS[0] else "model_auc_loss_individual"
        record(name, statistics.median(losses), "AUC", goal=0, against="trained on exact values", more=more)


def membership_tpr_defaulted() -> None:
    """Members among the defaulted rows that LiRA finds at 1 % false positives, and the seconds it takes."""
    for kind in KINDS:
        sample, directions = city_sample(kind)
        rows, _ = cut_rows(in_time_rows(sample, directions))
        start = time.process_time()
        measured: dict[str, Any] = measure_membership(rows, RECIPE, in_process(), load_floors())
        seconds = time.process_time() - start
        ending = "" if kind == KINDS[0] else "_individual"
        record(f"membership_tpr_defaulted{ending}", measured["defaulted"]["tpr_at_1_percent"], "share", more=measured)
        record(f"membership_cpu_seconds{ending}", seconds, "s", more={"subjects": measured["subjects"]})
