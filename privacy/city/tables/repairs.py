"""信用修复: which records get repaired and when, by the periods of 《信用修复管理办法》 (NDRC Order 36 of 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from privacy.city.codes import digits
from privacy.city.events import Events, after
from privacy.city.population import Population
from privacy.city.words import joined, pick, text

Array = np.ndarray[Any, Any]
_WAIT = {
    "minor": 5,
    "general": 93,
    "serious": 367,
}  # days before a repair may be asked for (Order 36, arts. on periods)
_SHARE = {"minor": 0.3, "general": 0.35, "serious": 0.15}


@dataclass(frozen=True, slots=True)
class Repairable:
    """Rows of one table that a repair may name: (m,) each; ``severity`` as text."""

    table: str
    events: Events
    document: pa.Array
    severity: Array
    allowed: Array


def repaired(rng: np.random.Generator, people: Population, found: Repairable) -> tuple[Array, Array]:
    """Which of the rows (m,) get repaired, and the day of each (meaningless where not)."""
    wait = np.array([_WAIT[each] for each in found.severity], np.int64)
    share = np.array([_SHARE[each] for each in found.severity])
    day = found.events.day + wait + rng.integers(0, 260, len(found.events))
    done = (rng.random(len(found.events)) < share) & found.allowed & (day + 3 <= people.span.today)
    return done & (day < people.ended[found.events.who]), day


def rows(
    rng: np.random.Generator, people: Population, found: list[tuple[Repairable, Array, Array]]
) -> tuple[Events, dict[str, Any]]:
    """The events and columns of the credit_repair table for what :func:`repaired` said of each table."""
    who = np.concatenate([each.events.who[done] for each, done, _ in found])
    day = np.concatenate([day[done] for _, done, day in found])
    table = np.repeat(np.arange(len(found)), [int(done.sum()) for _, done, _ in found])
    numbers = people.first * 40 + np.arange(len(who))
    return Events(who, day, np.zeros(len(who))), {
        "repair_number": joined("津虚信修〔", text(digits(numbers, 9)), "〕号"),
        "repaired_table": pick(tuple(each.table for each, _, _ in found), table),
        "document_number": pa.concat_arrays([each.document.filter(pa.array(done)) for each, done, _ in found]),
        "severity": pa.array(np.concatenate([each.severity[done] for each, done, _ in found]), pa.string()),
        "applied_on": day - rng.integers(1, 5, len(who)), "repaired_on": day, "reached_on": after(rng, day, 0, 3),
    }  # fmt: skip
