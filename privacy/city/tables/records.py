"""The result of the function of each table: events, and columns by English column name.

:mod:`privacy.city.filling` adds the other columns. The yearly rates in the modules of this folder are roughly those of
the published statistics of a large city: one firm in ten penalised within two years, 0.8 % dishonest judgment debtors,
0.4 % on a serious list, 5 % abnormal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from privacy.city.events import Events, add_random_days, random_categories
from privacy.city.population import Population
from privacy.city.words import (
    pick,
)

Columns = dict[str, Any]
Drawn = tuple[Events, Columns]
Generator = np.random.Generator
STATES = (97.0, 2.0, 1.0)  # normal, disputed (异议), revoked (撤销)


def known_by_today(rng: Generator, people: Population, events: Events, columns: Columns, since: Any = None) -> Drawn:
    """The events that have reached the platform by today: public records go online within seven working days."""
    reached = add_random_days(rng, events.day if since is None else since, 1, 11)
    return filter_events(events, columns | {"reached_on": reached}, reached <= people.span.today)


def filter_events(events: Events, columns: Columns, keep: Any) -> Drawn:
    """Only the events, and the values of their columns, where ``keep`` is true."""
    which = pa.array(np.flatnonzero(keep))
    return events.where(keep), {n: c.take(which) if isinstance(c, pa.Array) else c[keep] for n, c in columns.items()}


def record_states(rng: Generator, count: int) -> pa.Array:
    """The state of each record: a few are disputed or revoked."""
    return pick(("normal", "disputed", "revoked"), random_categories(rng, count, STATES))


def amounts(rng: Generator, events: Events, middle: float, spread: float, most: float) -> Any:
    """Random amounts around ``middle``, slightly larger at high risk, at most ``most``."""
    drawn = rng.lognormal(np.log(middle) + 0.2 * events.risk, spread)
    return np.round(np.clip(drawn, middle / 200, most), 4)


def where_true(which: Any, word: str) -> pa.Array:
    """``word`` where ``which`` is true, null elsewhere."""
    return pa.array([word], pa.string()).take(pa.array(np.zeros(len(which), np.int64), mask=~np.asarray(which)))
