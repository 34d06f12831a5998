"""Which way is best over several tables: mean ranks with the Nemenyi test, and a Bayesian signed-rank test.

Demšar 2006, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, for the first; Benavoli, Corani,
Demšar and Zaffalon 2017, "Time for a change", JMLR 18(77), section 4.2, for the second; Nadeau and Bengio 2003,
"Inference for the generalization error", section 3, for the interval over folds that share their training rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
NEMENYI = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949}  # q at .05 by number of ways (Demšar, table 5a)
ROPE = 0.01  # points of AUC within which two ways are as good as each other
PRIOR = 0.5  # weight of the pseudo-observation at no difference
SAMPLES, SEED = 50_000, 7


@dataclass(frozen=True, slots=True)
class Ranks:
    """Mean rank of each way (1 is best), the critical difference, and the Friedman test's p-value."""

    mean: tuple[float, ...]
    critical: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Posterior:
    """How probable it is that the first is worse by more than the ROPE, the same within it, and better by more."""

    worse: float
    same: float
    better: float


def ranks(figures: Floats) -> Ranks:
    """Of figures (tables, ways), larger is better; ties share their mean rank."""
    tables, ways = figures.shape
    mean = stats.rankdata(-figures, axis=1).mean(axis=0)
    critical = NEMENYI[ways] * np.sqrt(ways * (ways + 1) / (6 * tables))
    p_value = stats.friedmanchisquare(*figures.T).pvalue if ways > 2 else float("nan")
    return Ranks(tuple(float(rank) for rank in mean), float(critical), float(p_value))


def signed_rank(differences: Floats, rope: float = ROPE) -> Posterior:
    """Of the differences (tables,) first less second.

    The tables and a pseudo-observation at 0 get Dirichlet weights; a draw's three probabilities are the weights of the
    pairs whose mean lies beyond the ROPE on either side or within it, and the posterior is how often each is largest.
    """
    points = np.concatenate([[0.0], np.asarray(differences, dtype=np.float64)])
    weights = np.random.default_rng(SEED).dirichlet([PRIOR] + [1.0] * len(differences), SAMPLES)
    sums = points[:, None] + points[None, :]
    shares = [
        np.einsum("si,si->s", weights @ where.astype(np.float64), weights)
        for where in (sums < -2 * rope, np.abs(sums) <= 2 * rope, sums > 2 * rope)
    ]
    largest = np.bincount(np.argmax(shares, axis=0), minlength=3) / SAMPLES
    return Posterior(*(float(share) for share in largest))


def corrected(values: Floats, train: int, test: int) -> tuple[float, float, float]:
    """Mean of values (J,) over J folds and its 95 % interval, the variance corrected for training rows in common.

    Student's t with J - 1 degrees of freedom on a variance of ``(1 / J + test / train) s²``.
    """
    count, mean = len(values), float(np.mean(values))
    error = float(np.std(values, ddof=1)) * np.sqrt(1 / count + test / train)
    half = float(stats.t.ppf(0.975, count - 1)) * error
    return mean, mean - half, mean + half
