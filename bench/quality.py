"""The pinned benchmark: our pipeline against its peers on public credit data; it writes docs/benchmark.md.

Five stratified folds of whole rows with seed 7 (rows that occur twice are dropped first, so that none is in two folds).
Each way sees the training folds alone and chooses its settings there; its score of a row is by the model that did not
see it. AUC over all rows with 95 % intervals by bootstrap, the difference from ours paired on the same draws. Run it as
``python -m bench.quality``; xgboost and catboost take part where they are installed.
"""

from __future__ import annotations

import gzip
import importlib.util
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.record import record
from models.booster import plain_margins
from models.cluster import in_process
from models.declared import training_of
from models.fit import full_leaves
from models.judging import metrics, ranking
from models.search import Rows, search
from models.trees import walk
from models.trees.flat import flat
from models.trees.model_text import read

DATA = Path(os.environ.get("HAIHE_REAL_DATA", "../shared/data"))
PAGE = Path("docs/benchmark.md")
FOLDS, SEED = 5, 7
NEMENYI = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850}  # q at .05 by number of ways (Demšar 2006, table 5)
Floats = NDArray[np.float64]
Way = Callable[[Floats, NDArray[Any], Floats], Floats]


def polish(year: int) -> tuple[Floats, NDArray[Any]]:
    """Zięba et al. 2016, UCI 365: 64 financial ratios of firms, bankrupt or not."""
    text = gzip.decompress((DATA / "polish_bankruptcy" / f"{year}year.arff.gz").read_bytes()).decode()
    lines = text[text.lower().index("@data") + 5 :].split()
    table = np.array([[float(v) if v != "?" else np.nan for v in line.split(",")] for line in lines])
    _, first = np.unique(np.nan_to_num(table, nan=-1e99), axis=0, return_index=True)
    table = table[np.sort(first)]
    return table[:, :-1], table[:, -1].astype(int)


def german() -> tuple[Floats, NDArray[Any]]:
    """Hofmann 1994, UCI 144: codes become their numbers, in the order of their names."""
    lines = [line.split() for line in (DATA / "german_credit" / "german.data").read_text().splitlines() if line]
    columns = list(zip(*lines, strict=True))
    told = [np.unique(c, return_inverse=True)[1] if c[0].startswith("A") else np.array(c, dtype=float) for c in columns]
    return np.column_stack(told[:-1]).astype(float), (np.array(columns[-1]) == "2").astype(int)


def cards() -> tuple[Floats, NDArray[Any]]:
    """Yeh and Lien 2009, UCI 350: default of credit card holders in the next month."""
    path = next((DATA / "uci_credit_card").glob("*.csv*"))
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as stream:
        names = stream.readline().replace('"', "").strip().split(",")
        table = np.genfromtxt(stream, delimiter=",")
    keep = [n for n, name in enumerate(names) if name.upper().startswith("X")]
    return table[:, keep], table[:, names.index("Y")].astype(int)


SETS: dict[str, Callable[[], tuple[Floats, NDArray[Any]]]] = {
    "polish, 1 year": lambda: polish(1),
    "polish, 5 years": lambda: polish(5),
    "german": german,
    "cards": cards,
}


def ours(x: Floats, y: NDArray[Any], others: Floats) -> Floats:
    """The pipeline: recipes searched over five inner folds, the smaller preferred, leaves that hold their rows."""
    names = tuple(f"f{number}" for number in range(x.shape[1]))
    rows = Rows(x, y, _folds(y), names, (0,) * x.shape[1])
    choice = search(rows, training_of({"training": {"trials": 12, "seed": SEED, "minimum_leaf": 20}}), in_process())
    return walk.margins(flat(read(full_leaves(rows, choice.recipe, None, 20)[1], names)), others)


def logistic(x: Floats, y: NDArray[Any], others: Floats) -> Floats:
    """Logistic regression on standardised ranks-free columns: medians for what is missing, a flag that it was."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer

    line = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True),
        QuantileTransformer(output_distribution="normal", n_quantiles=min(1000, len(x)), random_state=SEED),
        LogisticRegression(C=0.1, max_iter=2000),
    )
    return np.asarray(line.fit(x, y).decision_function(others))


def scorecard(x: Floats, y: NDArray[Any], others: Floats) -> Floats:
    """optbinning's: monotone optimal bins, weights of evidence, logistic regression."""
    from optbinning import BinningProcess  # type: ignore[import-untyped]
    from sklearn.linear_model import LogisticRegression

    names = [f"f{number}" for number in range(x.shape[1])]
    monotone = {name: {"monotonic_trend": "auto_asc_desc"} for name in names}
    process = BinningProcess(names, binning_fit_params=monotone, n_jobs=1)
    woe = process.fit_transform(x, y, metric="woe")
    return np.asarray(LogisticRegression(C=1.0, max_iter=2000).fit(woe, y).decision_function(process.transform(others)))


def ways() -> dict[str, Way]:
    """Ours first; peers as far as they are installed."""
    found: dict[str, Way] = {
        "ours": ours,
        "LightGBM, its own settings": lambda x, y, o: plain_margins(x, y, o),
        "logistic regression": logistic,
        "optbinning scorecard": scorecard,
    }
    if importlib.util.find_spec("xgboost"):
        from xgboost import XGBClassifier  # type: ignore[import-not-found]

        found["XGBoost, its own settings"] = lambda x, y, o: XGBClassifier(n_jobs=1).fit(x, y).predict_proba(o)[:, 1]
    if importlib.util.find_spec("catboost"):
        from catboost import CatBoostClassifier  # type: ignore[import-not-found]

        told: dict[str, Any] = {"thread_count": 1, "verbose": 0, "allow_writing_files": False}
        found["CatBoost, its own settings"] = lambda x, y, o: (
            CatBoostClassifier(**told).fit(x, y).predict_proba(o)[:, 1]
        )
    return found


def run(names: list[str]) -> None:
    """Measure, record each figure, and write the page."""
    told = ways()
    ranks: list[Floats] = []
    lines = ["| data | rows (bad) | " + " | ".join(told) + " |", "|---|---|" + "---|" * len(told)]
    for name in names:
        x, y = SETS[name]()
        scores, fold = {way: np.full(len(y), np.nan) for way in told}, _folds(y)
        for way, act in told.items():
            start = time.perf_counter()
            for number in range(FOLDS):
                held = fold == number
                # Each fold's model ranks on its own scale: ranks within the fold are what is put together.
                scores[way][held] = _ranks(act(x[~held], y[~held], x[held]))
            print(f"{name}: {way}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        cells = [_cell(name, way, y, scores) for way in told]
        ranks.append(_ranks(-np.array([metrics.auc(y, scores[way]) for way in told])) * len(told))
        lines.append(f"| {name} | {len(y)} ({int(y.sum())}) | " + " | ".join(cells) + " |")
        mean = " | ".join(f"{rank:.2f}" for rank in np.mean(ranks, axis=0))
        apart = NEMENYI[len(told)] * np.sqrt(len(told) * (len(told) + 1) / (6 * len(ranks)))
        note = f"Two ways differ at 5 % by the Nemenyi test when their mean ranks are {apart:.2f} apart."
        PAGE.write_text(_page([*lines, f"| mean rank (1 is best) | | {mean} |"], note), encoding="utf-8")


def _cell(name: str, way: str, y: NDArray[Any], scores: dict[str, Floats]) -> str:
    told = metrics.auc_interval(y, scores[way])
    gain, _ = metrics.auc_gain(y, scores["ours"], scores[way])
    more = {
        "low": round(told.low, 4),
        "high": round(told.high, 4),
        "h_measure": round(ranking.h_measure(y, scores[way]), 4),
    }
    record("quality_auc", told.value, "AUC", data=name, against=way, more=more)
    behind = "" if way == "ours" else f"; ours {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
    return f"{told.value:.3f} ({told.low:.3f}–{told.high:.3f}){behind}"


def _folds(y: NDArray[Any]) -> NDArray[np.int16]:
    """Five folds with the share of bad rows of the whole, by a seed."""
    random, fold = np.random.default_rng(SEED), np.empty(len(y), dtype=np.int16)
    for label in (0, 1):
        here = np.flatnonzero(y == label)
        fold[random.permutation(here)] = np.arange(len(here)) % FOLDS
    return fold


def _ranks(values: Floats) -> Floats:
    """Mean ranks in (0, 1]."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place] / len(values), dtype=np.float64)


def _page(lines: list[str], note: str) -> str:
    words = (__doc__ or "").split("\n\n", 1)[1].strip().replace("``", "`")
    data = "Data: UCI 365 (Zięba et al. 2016), 144 (Hofmann 1994), 350 (Yeh and Lien 2009)."
    head = ["# The pinned benchmark", "", "AUC with its 95 % interval; in each cell what ours has more.", ""]
    return "\n".join([*head, *lines, "", note, "", "## Protocol", "", words, "", data, ""])


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=FutureWarning)
    run(sys.argv[1:] or list(SETS))
