"""Why a subject's points moved since the month before: a direct rule that newly applies, else one indicator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.scoring.evaluation.declaration import Evaluation

Answered = tuple[NDArray[Any], NDArray[np.bool_]]  # answers (n,) and rule hits (n, R) of the same subjects


def movement_causes(evaluation: Evaluation, now: Answered, earlier: Evaluation, then: Answered) -> list[str | None]:
    """The cause of each movement (n,): ``rule <measure>``, the indicator with the largest change that way, or None.

    An indicator that the earlier evaluation did not have counts as zero there.
    """
    column = {name: place for place, name in enumerate(earlier.names)}
    before = np.zeros(now[0]["contributions"].shape, dtype=np.int64)
    for place, name in enumerate(evaluation.names):
        if name in column:
            before[:, place] = then[0]["contributions"][:, column[name]]
    change = now[0]["contributions"] - before
    direction = np.sign(now[0]["points"].astype(np.int64) - then[0]["points"])
    strongest = np.argmax(change * direction[:, None], axis=1)
    old_rules = {(r.feature, r.at_least, r.grade): number for number, r in enumerate(earlier.rules)}
    causes: list[str | None] = []
    for row, way in enumerate(direction.tolist()):
        cause = evaluation.names[strongest[row]] if way else None
        for place in np.flatnonzero(now[1][row]).tolist():
            rule = evaluation.rules[place]
            old = old_rules.get((rule.feature, rule.at_least, rule.grade))
            if old is None or not then[1][row, old]:
                cause = f"rule {rule.feature}"
                break
        causes.append(cause)
    return causes
