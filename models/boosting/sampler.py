"""The door to Optuna: which recipes to try next, given what came of those before.

Tree-structured Parzen estimators (Bergstra, Bardenet, Bengio and Kégl 2011), asked for several recipes at a time and
told of them in the order they were asked, so what it says depends on the seed and on results, never on who was first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from models.boosting.recipe import Recipe
from models.order.search_space import SearchSpace

if TYPE_CHECKING:
    from models.order.spec import Training

# What is tried first, so that no search ends below what is known to do well: trees of chance in rows and splits, held
# back by l2, as random forests and CatBoost are; stumps of chance, which add features up as a scorecard does; large
# trees on all rows, of which chance takes half the features of a split; and a small booster.
WARM_STARTS: tuple[dict[str, float], ...] = (
    {"leaves": 16, "rate": 0.04, "rounds": 300, "l2": 20.0, "feature_share": 1.0, "split_share": 0.3, "row_share": 0.7},
    {"leaves": 2, "rate": 0.06, "rounds": 400, "l2": 3.0, "feature_share": 0.3, "split_share": 0.8, "row_share": 0.7},
    {"leaves": 31, "rate": 0.06, "rounds": 200, "l2": 5.0, "feature_share": 0.6, "split_share": 0.5, "row_share": 1.0},
    {"leaves": 6, "rate": 0.06, "rounds": 200, "l2": 3.0, "feature_share": 0.6, "split_share": 0.6, "row_share": 0.8},
)
DIGITS = 4  # a recipe is to be read, and is no better for more


class Sampler:
    """Recipes within the space of an order, seeded by it. ``first``: how many are drawn before it learns."""

    def __init__(self, training: Training, startup_trials: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(seed=training.seed, n_startup_trials=startup_trials, multivariate=True)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._seed, self._space = training.seed, training.space
        self._trials: list[Any] = []
        self._distributions = {each.name: _distribution(each.name, self._space) for each in fields(self._space)}
        for recipe in WARM_STARTS:
            params = recipe | {"minimum_leaf": training.minimum_leaf}
            self._study.enqueue_trial({name: self._clipped(name, value) for name, value in params.items()})

    def suggest(self, count: int) -> list[Recipe]:
        """The next ``count`` recipes, all asked for before any is told of."""
        self._trials = [self._study.ask(self._distributions) for _ in range(count)]
        suggestions = [
            {name: self._rounded(name, value) for name, value in params.params.items()} for params in self._trials
        ]
        return [Recipe(**params, seed=self._seed) for params in suggestions]

    def report(self, curves: Sequence[Sequence[float]], pruned: Sequence[bool]) -> None:
        """Of each recipe last asked for: its mean AUC after each stop it reached, and whether it was given up."""
        from optuna.trial import TrialState

        for trial, curve, was_pruned in zip(self._trials, curves, pruned, strict=True):
            for step, value in enumerate(curve):
                trial.report(value, step)
            if was_pruned:
                self._study.tell(trial, state=TrialState.PRUNED)
            else:
                self._study.tell(trial, max(curve))

    def _rounded(self, name: str, value: float) -> Any:
        return value if isinstance(value, int) else self._clipped(name, float(f"{value:.{DIGITS}g}"))

    def _clipped(self, name: str, value: float) -> Any:
        minimum, maximum = getattr(self._space, name)
        return min(max(value, minimum), maximum)


def _distribution(name: str, space: SearchSpace) -> Any:
    """Sizes and rates by their logarithm: from 3 to 6 leaves is as far as from 8 to 16."""
    from optuna.distributions import FloatDistribution, IntDistribution

    minimum, maximum = getattr(space, name)
    log = not name.endswith("_share")
    is_integer = isinstance(minimum, int)
    return IntDistribution(minimum, maximum, log=log) if is_integer else FloatDistribution(minimum, maximum, log=log)
