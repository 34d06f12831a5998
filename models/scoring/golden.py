"""Golden rows (金样): synthetic features with their expected answers, to test a version in a separate process.

Each column is drawn independently from the sample, so a row belongs to no subject. The test runs in a process of its
own: a model text that passed :mod:`models.scoring.trees.model_text` and still hangs or crashes affects nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Broken, CreditError
from credit.messages import Text
from models.scoring.scorer import Scorer

ROWS = 50
SECONDS = 60
DIGITS = 2  # of a golden feature
TOLERANCE = 1e-9
_TRIAL = "import sys; from models.scoring.golden import run_trial; run_trial(sys.argv[1])"


def golden_content(scorer: Scorer, features: NDArray[np.float64], seed: int) -> dict[str, Any]:
    """The content of ``golden.json``: 50 rows of features and their probability, points and grades."""
    random = np.random.default_rng(seed)
    rows = np.column_stack([column[random.integers(0, len(column), ROWS)] for column in features.T])
    rows = np.array([[float(f"{value:.{DIGITS}g}") for value in row] for row in rows])  # so no value is a subject's
    scores = scorer.score(rows)
    return {
        "features": [[None if np.isnan(value) else float(value) for value in row] for row in rows],
        "probability": scores.probability.tolist(),
        "points": scores.points.tolist(),
        "grades": scores.grades,
    }


def check_golden(folder: Path) -> None:
    """Score a version's golden rows in a separate process; raises :class:`Broken` when an answer differs or it
    fails."""
    command = [sys.executable, "-c", _TRIAL, str(folder)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=env, check=False)
    except subprocess.TimeoutExpired:
        raise Broken("golden.version-does-not-answer", seconds=SECONDS) from None
    if done.returncode != 0:
        ended = Text.of("golden.process-ended", code=done.returncode)
        why = (Text.from_json(json.loads(done.stdout)) if done.stdout.strip() else None) or ended
        raise Broken("golden.version-does-not-give-golden", why=why)


def _difference(folder: Path) -> Text | None:
    """An empty text when every answer is as recorded, else what differs."""
    try:
        golden = json.loads((folder / "golden.json").read_bytes())
        rows = np.array([[np.nan if v is None else v for v in row] for row in golden["features"]], dtype=np.float64)
        scores = Scorer.load(folder).score(rows)
        largest_error = max(
            float(np.max(np.abs(scores.probability - np.array(golden["probability"])))),
            float(np.max(np.abs(scores.points - np.array(golden["points"])))),
        )
        total = scores.base_points + scores.point_contributions.sum(axis=1)
    except (OSError, ValueError, KeyError, TypeError, CreditError) as error:
        return error.message if isinstance(error, CreditError) else Text.verbatim(str(error))
    if not largest_error <= TOLERANCE or scores.grades != golden["grades"]:
        return Text.of("golden.off", off=largest_error)
    return None if bool(np.all(np.abs(total - scores.points) <= TOLERANCE)) else Text.of("golden.reasons")


def run_trial(folder: str) -> None:
    """The main function of the separate process: prints what differs, and exits with 1 if anything does."""
    difference = _difference(Path(folder))
    sys.stdout.write(json.dumps(difference.as_json()) if difference else "")
    sys.exit(1 if difference else 0)
