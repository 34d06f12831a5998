"""What we are measured against, each with its own default settings; what it needs is fitted on the training rows alone.

The three boosters take missing values as they are. Logistic regression gets medians, a flag that a value was missing
and standard scores; optbinning's scorecard is its own binning and its own scaling-free logistic regression. One thread.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.quality.tables import SEED, Floats

Fit = Callable[[Floats, NDArray[np.int8], Floats], Floats]  # training rows and labels, test rows -> P(bad) of the test


def lightgbm(x: Floats, y: NDArray[np.int8], others: Floats) -> Floats:
    """LightGBM: 100 trees of 31 leaves."""
    from lightgbm import LGBMClassifier

    return _probability(LGBMClassifier(n_jobs=1, verbosity=-1, random_state=SEED).fit(x, y), others)


def xgboost(x: Floats, y: NDArray[np.int8], others: Floats) -> Floats:
    """XGBoost: 100 trees of depth 6, learning rate .3."""
    made = import_module("xgboost").XGBClassifier(n_jobs=1, random_state=SEED)
    return _probability(made.fit(x, y), others)


def catboost(x: Floats, y: NDArray[np.int8], others: Floats) -> Floats:
    """CatBoost: 1,000 ordered symmetric trees of depth 6, the rate by its own rule."""
    settings = {"thread_count": 1, "verbose": 0, "allow_writing_files": False, "random_seed": SEED}
    made = import_module("catboost").CatBoostClassifier(**settings)
    return _probability(made.fit(x, y), others)


def logistic(x: Floats, y: NDArray[np.int8], others: Floats) -> Floats:
    """scikit-learn's logistic regression, C = 1."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    made = make_pipeline(impute, StandardScaler(), LogisticRegression(max_iter=2000))
    return _probability(made.fit(x, y), others)


def scorecard(x: Floats, y: NDArray[np.int8], others: Floats) -> Floats:
    """optbinning's scorecard: optimal bins, weights of evidence, logistic regression."""
    import pandas
    from optbinning import BinningProcess, Scorecard  # type: ignore[import-untyped]
    from sklearn.linear_model import LogisticRegression

    names = [f"f{number}" for number in range(x.shape[1])]
    made = Scorecard(BinningProcess(names), LogisticRegression(max_iter=2000))
    made.fit(pandas.DataFrame(x, columns=names), y, metric_missing="empirical")
    return _probability(made, pandas.DataFrame(others, columns=names))


PEERS: dict[str, tuple[Fit, str]] = {  # name -> how, and the distribution whose version it depends on
    "LightGBM": (lightgbm, "lightgbm"),
    "XGBoost": (xgboost, "xgboost"),
    "CatBoost": (catboost, "catboost"),
    "logistic regression": (logistic, "scikit-learn"),
    "optbinning scorecard": (scorecard, "optbinning"),
}


def settings_of(name: str) -> dict[str, str]:
    """What a peer's result depends on beside the rows."""
    return {"peer": name, "version": version(PEERS[name][1])}


def _probability(made: Any, others: Any) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about names of columns
        return np.asarray(made.predict_proba(others)[:, 1], dtype=np.float64)
