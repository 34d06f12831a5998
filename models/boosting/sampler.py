"""The only file that imports Optuna: it suggests the next recipes, given the results of the earlier ones.

Tree-structured Parzen estimators (Bergstra, Bardenet, Bengio and Kégl 2011). Recipes are suggested in batches, and the
results of a batch are reported in the order of its suggestions, so a search depends on the seed and on the results, and
never on which task ended first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from models.boosting.recipe import Recipe
from models.order.search_space import SearchSpace

if TYPE_CHECKING:
    from models.order.spec import Training

# The first trials, so that no search ends below recipes known to do well: trees with sampled rows and splits and a
# strong l2 penalty, as in random forests and CatBoost; sampled stumps, which add features up as a scorecard does; large
# trees on all rows, with half of the features drawn for each split; and a small booster.
WARM_STARTS: tuple[dict[str, float], ...] = (
    {"leaves": 16, "rate": 0.04, "rounds": 300, "l2": 20.0, "feature_share": 1.0, "split_share": 0.3, "row_share": 0.7},
    {"leaves": 2, "rate": 0.06, "rounds": 400, "l2": 3.0, "feature_share": 0.3, "split_share": 0.8, "row_share": 0.7},
    {"leaves": 31, "rate": 0.06, "rounds": 200, "l2": 5.0, "feature_share": 0.6, "split_share": 0.5, "row_share": 1.0},
    {"leaves": 6, "rate": 0.06, "rounds": 200, "l2": 3.0, "feature_share": 0.6, "split_share": 0.6, "row_share": 0.8},
)
DIGITS = 4  # more digits would make a recipe harder to read and no better


class Sampler:
    """Suggests recipes within the search space of an order, seeded by the order.

    ``startup_trials`` is the number of random recipes before the estimator starts to learn.
    """

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
        """The next ``count`` recipes."""
        self._trials = [self._study.ask(self._distributions) for _ in range(count)]
        suggestions = [
            {name: self._rounded(name, value) for name, value in params.params.items()} for params in self._trials
        ]
        return [Recipe(**params, seed=self._seed) for params in suggestions]

    def report(self, curves: Sequence[Sequence[float]], pruned: Sequence[bool]) -> None:
        """Report the results of the recipes suggested last: the mean AUC after each checkpoint, and whether each was
        pruned."""
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
    """The distribution of one hyperparameter; sizes and rates are sampled on a logarithmic scale."""
    from optuna.distributions import FloatDistribution, IntDistribution

    minimum, maximum = getattr(space, name)
    log = not name.endswith("_share")
    is_integer = isinstance(minimum, int)
    return IntDistribution(minimum, maximum, log=log) if is_integer else FloatDistribution(minimum, maximum, log=log)
