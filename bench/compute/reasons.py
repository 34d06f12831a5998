"""What reasons cost, against LightGBM's ``pred_contrib`` on the same model: 500 trees of 31 leaves on 60 features.

Pairs of one run, one thread each, medians. A row is scored after other rows of the same model (warm); or each in turn
with the peer, so that the processor has forgotten it (``in_turn``); or after 64 MiB of other memory as well (cold).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from bench.record import record
from models.scoring.trees.flat_forest import FlatForest, flatten
from models.scoring.trees.model_text import read, without_settings
from models.scoring.treeshap.exact_reasons import TreeShap

ROWS, FEATURES, TREES, LEAVES = 40_000, 60, 500, 31
PAIRS = 31
DATA = "drawn rows with missing values"
PEER = "LightGBM pred_contrib, one thread"
Floats = NDArray[np.float64]


@cache
def model() -> tuple[Any, FlatForest, TreeShap, Floats]:
    """The booster, our reading of it, and rows."""
    random = np.random.default_rng(0)
    x = random.normal(size=(ROWS, FEATURES))
    x[:, ::3] = np.round(x[:, ::3] * 2)
    x[random.random(x.shape) < 0.1] = np.nan
    known = np.nan_to_num(x)
    cause = known[:, 0] + known[:, 1] * known[:, 2] + np.sin(known[:, 3] * 2) + known[:, 4:20].sum(axis=1) * 0.3
    names = [f"f{number}" for number in range(FEATURES)]
    data = lightgbm.Dataset(x, cause + random.normal(size=ROWS) > 1, feature_name=names)
    parameters = {"objective": "binary", "num_leaves": LEAVES, "learning_rate": 0.05, "min_data_in_leaf": 40}
    booster = lightgbm.train(parameters | {"verbosity": -1, "seed": 1}, data, TREES)
    trees = flatten(read(without_settings(booster.model_to_string()), names))
    return booster, trees, TreeShap.of(trees, FEATURES), x


def timed(act: Callable[[], object], before: Callable[[], object] | None = None) -> float:
    """Seconds of one call."""
    if before:
        before()
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def pairs(
    rows: int, times: int, *, calls: int = 1, of: int = 1, before: Callable[[], object] | None = None
) -> tuple[float, float, float]:
    """Median seconds a row of ours, of the peer, and of their ratio, over pairs of ``calls`` calls of so many rows.

    The peer, whose rows cost one as much as another, is timed on one of ``of`` of them.
    """
    booster, _, reasons, x = model()
    pair_times = []
    for turn in range(times + 1):
        some = [x[(turn * calls + call) * rows % (ROWS - rows + 1) :][:rows] for call in range(calls)]
        own_seconds = [timed(partial(reasons.contributions, each), before) / rows for each in some]
        theirs = [
            timed(partial(booster.predict, each[: rows // of], pred_contrib=True, num_threads=1), before) / (rows // of)
            for each in some
        ]
        pair_times.append((statistics.median(own_seconds), statistics.median(theirs)))
    ours, peers = zip(*pair_times[1:], strict=True)  # the first warms up
    ratios = [peer / our for our, peer in pair_times[1:]]
    return statistics.median(ours), statistics.median(peers), statistics.median(ratios)


def reasons_speedup_1() -> None:
    """One row at a time, ever another one."""
    ours, peer, ratio = pairs(1, PAIRS, calls=20)
    details = {"us": round(ours * 1e6, 1), "peer_us": round(peer * 1e6, 1), "pairs": PAIRS}
    other = np.zeros(64 << 17)
    details["in_turn"] = round(pairs(1, PAIRS * 5)[2], 2)
    details["cold"] = round(pairs(1, PAIRS, before=other.sum)[2], 2)
    record("reasons_speedup_1", ratio, "x", data=DATA, goal=15, against=PEER, more=details)


def reasons_speedup_10k() -> None:
    """10,000 rows; the peer is timed on 500 of them."""
    ours, peer, ratio = pairs(10_000, 5, of=20)
    details = {"us_a_row": round(ours * 1e6, 1), "peer_us_a_row": round(peer * 1e6, 1), "pairs": 5}
    record("reasons_speedup_10k", ratio, "x", data=DATA, goal=30, against=PEER, more=details)


def reasons_row_us() -> None:
    """One row: its margin and its reasons."""
    _, _, reasons, x = model()
    took = [timed(partial(reasons.margins_and_contributions, x[number : number + 1])) for number in range(2_000)]
    eight = [
        timed(partial(reasons.margins_and_contributions, x[number : number + 8])) / 8 for number in range(0, 2_000, 8)
    ]
    more = {"rows": len(took), "of_eight_at_once": round(statistics.median(eight) * 1e6, 1)}
    record("reasons_row_us", statistics.median(took) * 1e6, "us", data=DATA, more=more)


def reasons_first_seconds() -> None:
    """From the start of a process to the first reasons, with nothing kept and then with what that process kept."""
    booster = model()[0]
    code = (
        "import sys, numpy as np; from pathlib import Path; from models.scoring.trees import numba_compile;"
        "numba_compile.CACHE_FOLDER = Path(sys.argv[1]); from models.scoring.trees.flat_forest import flatten;"
        "from models.scoring.treeshap.exact_reasons import TreeShap; from models.scoring.trees.model_text import read;"
        f"trees = flatten(read(sys.stdin.read(), [f'f{{n}}' for n in range({FEATURES})]));"
        f"TreeShap.of(trees, {FEATURES}).contributions(np.zeros((1, {FEATURES})))"
    )
    text = without_settings(booster.model_to_string())
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", code, folder]
        first, then = (
            timed(lambda: subprocess.run(command, input=text, text=True, check=True, env=dict(os.environ)))
            for _ in range(2)
        )
    record("reasons_first_seconds", first, "s", data=DATA, more={"with_what_was_kept": round(then, 3)})
