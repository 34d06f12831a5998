"""The grade of rows by GB/T 42460-2023 (个人信息去标识化效果评估指南), with its evidence.

Four grades: 1 has direct identifiers; 2 has none and can be re-identified with a risk above the limit; 3 has none and
a risk within it; 4 has nothing that identifies, such as aggregates. A release has no direct identifier, and a row is
microdata (微数据, GB/T 37964-2019), so rows are grade 2 or 3. The risk of a row is 1 / members of its equivalence class
(等价类), here its group: all that is open about a subject is alike in it. The standard leaves the limit to the
evaluating party; ours is in ``policy.yaml``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.rows.attack.answers import AttackFigures

SHARING = "领地公开共享"  # GB/T 37964 §A: within a territory that data do not leave
RISKY, ACCEPTABLE = 2, 3


@dataclass(frozen=True, slots=True)
class Deidentification:
    """A grade and its evidence: the largest and the mean risk of a row, and the share of rows above the limit.

    ``attacked`` is the largest share of right guesses that an attack reached.
    """

    grade: int
    largest: float
    mean: float
    above: float
    attacked: float

    def as_json(self) -> dict[str, Any]:
        """The evidence for the verdict."""
        return {
            "grade": self.grade,
            "standard": "GB/T 42460-2023",
            "sharing": SHARING,
            "risk_largest": round(self.largest, 5),
            "risk_mean": round(self.mean, 5),
            "risk_above_share": round(self.above, 5),
            "attack_guess_right": round(self.attacked, 5),
        }


def deidentification(groups: NDArray[Any], attacks: list[AttackFigures], *, at_most: float) -> Deidentification:
    """The grade of rows in ``groups`` (n,), of which an attack is the test of what the classes promise.

    ``at_most`` is the limit of the risk of one row.
    """
    sizes = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    risks = 1.0 / sizes[1][sizes[0]] if len(groups) else np.ones(1)
    attacked = max((each.guess_right for each in attacks), default=0.0)
    largest = float(risks.max())
    grade = ACCEPTABLE if largest <= at_most and attacked <= at_most else RISKY
    return Deidentification(grade, largest, float(risks.mean()), float(np.mean(risks > at_most)), attacked)
