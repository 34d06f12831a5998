"""信用修复: repairs of records after the periods of 信用修复管理办法 (NDRC Order 36 of 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from privacy.city.codes import digits
from privacy.city.events import Events, add_random_days
from privacy.city.population import Population
from privacy.city.words import concatenate, pick, text

Array = np.ndarray[Any, Any]
_WAIT = {
    "minor": 5,
    "general": 93,
    "serious": 367,
}  # days before an application for repair (Order 36, arts. on periods)
_SHARE = {"minor": 0.3, "general": 0.35, "serious": 0.15}


@dataclass(frozen=True, slots=True)
class Repairable:
    """Rows of one table to which a repair may refer; all arrays are (m,), ``severity`` is text."""

    table: str
    events: Events
    document: pa.Array
    severity: Array
    allowed: Array


def repaired(rng: np.random.Generator, people: Population, repairable: Repairable) -> tuple[Array, Array]:
    """True (m,) for the rows that are repaired, and the day of each repair (m,), without meaning elsewhere."""
    wait = np.array([_WAIT[each] for each in repairable.severity], np.int64)
    share = np.array([_SHARE[each] for each in repairable.severity])
    day = repairable.events.day + wait + rng.integers(0, 260, len(repairable.events))
    done = (rng.random(len(repairable.events)) < share) & repairable.allowed & (day + 3 <= people.span.today)
    return done & (day < people.ended[repairable.events.who]), day


def rows(
    rng: np.random.Generator, people: Population, repaired_rows: list[tuple[Repairable, Array, Array]]
) -> tuple[Events, dict[str, Any]]:
    """The events and columns of the credit_repair table from the results of :func:`repaired` for each table."""
    who = np.concatenate([each.events.who[done] for each, done, _ in repaired_rows])
    day = np.concatenate([day[done] for _, done, day in repaired_rows])
    table = np.repeat(np.arange(len(repaired_rows)), [int(done.sum()) for _, done, _ in repaired_rows])
    numbers = people.first * 40 + np.arange(len(who))
    return Events(who, day, np.zeros(len(who))), {
        "repair_number": concatenate("津虚信修〔", text(digits(numbers, 9)), "〕号"),
        "repaired_table": pick(tuple(each.table for each, _, _ in repaired_rows), table),
        "document_number": pa.concat_arrays([each.document.filter(pa.array(done)) for each, done, _ in repaired_rows]),
        "severity": pa.array(np.concatenate([each.severity[done] for each, done, _ in repaired_rows]), pa.string()),
        "applied_on": day - rng.integers(1, 5, len(who)), "repaired_on": day,
        "reached_on": add_random_days(rng, day, 0, 3),
    }  # fmt: skip
