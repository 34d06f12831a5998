"""Models that memorise, in four ways, and honest ones: what the gates of models are tried on.

Each case has a text, the sample it claims to be trained on, and its recipe. The kinds: labels shuffled and learnt by
heart; leaves of one or two subjects; the same with forged counts; a message in the digits of the leaf values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from models.boosting.booster import model_text_of, train_booster
from models.boosting.published_text import published_text
from models.boosting.recipe import Recipe
from models.dataset.cut_rows import cut_rows, in_time_rows
from models.dataset.matrix import TrainingRows
from models.dataset.sample import Sample
from models.privacy.cuts import CutGrid
from models.scoring.trees.leaf_counts import leaves_per_tree, with_leaf_counts
from models.training.fit import train_with_full_leaves
from tests.models import invented

KINDS = ("shuffled", "tiny", "forged", "payload")
DECIMALS = 5
_VALUES = re.compile(r"(?m)^leaf_value=(.*)$")


@dataclass(frozen=True, slots=True)
class ModelCase:
    """A model before the gate."""

    kind: str
    text: str
    recipe: Recipe
    sample: Sample


def honest_case(seed: int) -> ModelCase:
    """What compute makes of an honest order: a recipe of the usual size, on labels that are real."""
    sample = invented.sample(700, seed)
    rows, grid = cut_rows(in_time_rows(sample, invented.DIRECTIONS))
    random = np.random.default_rng(seed)
    requested = Recipe(
        int(random.integers(3, 9)), 0.08, int(random.integers(20, 60)), int(random.integers(30, 60)), seed
    )
    recipe, text = train_with_full_leaves(rows, requested, minimum=requested.minimum_leaf, subjects=10)
    return ModelCase("honest", published_text(text, rows, grid, DECIMALS), recipe, sample)


def memorising_case(kind: str, seed: int) -> ModelCase:
    """A model of one of :data:`KINDS`."""
    sample = invented.sample(700, seed)
    random = np.random.default_rng(seed)
    rows, grid = cut_rows(in_time_rows(sample, invented.DIRECTIONS))
    return _MAKERS[kind](sample, rows, grid, random, seed)


def cases(count: int, seed: int = 1) -> Iterator[ModelCase]:
    """So many memorising models, of every kind in turn."""
    for number in range(count):
        yield memorising_case(KINDS[number % len(KINDS)], seed + number)


def _shuffled(sample: Sample, rows: TrainingRows, grid: CutGrid, random: np.random.Generator, seed: int) -> ModelCase:
    """Labels are noise, the trees as large as the floor allows: all that is learnt is who was there."""
    noise = replace(sample, labels=random.permutation(sample.labels))
    rows, grid = cut_rows(in_time_rows(noise, [0] * 5))
    recipe, text = train_with_full_leaves(rows, Recipe(63, 0.3, 60, 10, seed), minimum=10, subjects=10)
    return ModelCase("shuffled", published_text(text, rows, grid, DECIMALS), recipe, noise)


def _tiny(sample: Sample, rows: TrainingRows, grid: CutGrid, random: np.random.Generator, seed: int) -> ModelCase:
    recipe = Recipe(31, 0.2, 30, int(random.integers(1, 5)), seed)
    text = model_text_of(train_booster(rows.features, rows.labels, rows.names, rows.directions, recipe))
    return ModelCase("tiny", published_text(text, rows, grid, DECIMALS), recipe, sample)


def _forged(sample: Sample, rows: TrainingRows, grid: CutGrid, random: np.random.Generator, seed: int) -> ModelCase:
    honest = _tiny(sample, rows, grid, random, seed)
    claimed = [random.integers(40, 90, size=leaves) for leaves in leaves_per_tree(honest.text)]
    return replace(honest, kind="forged", text=with_leaf_counts(honest.text, claimed))


def _payload(sample: Sample, rows: TrainingRows, grid: CutGrid, random: np.random.Generator, seed: int) -> ModelCase:
    """A message behind the digits that matter, or in the last digits that are declared."""
    honest = honest_case(seed)
    digits = int(random.integers(DECIMALS, 13))

    def written(match: re.Match[str]) -> str:
        words = (f"{float(word) + random.integers(1, 9) * 10.0**-digits:.{digits}f}" for word in match[1].split())
        return f"leaf_value={' '.join(words)}"

    text = _VALUES.sub(written, honest.text)
    blocks = re.split(r"(?m)^(?=Tree=)", text[: text.index("end of trees")])[1:]
    sizes = " ".join(str(len(block)) for block in blocks)
    return replace(honest, kind="payload", text=re.sub(r"(?m)^tree_sizes=.*$", f"tree_sizes={sizes}", text))


_MAKERS: dict[str, Callable[..., ModelCase]] = {
    "shuffled": _shuffled,
    "tiny": _tiny,
    "forged": _forged,
    "payload": _payload,
}
