"""What one function a table gives: events and the columns that carry meaning, by English column name.

:mod:`privacy.city.filling` adds the other columns. The yearly rates in the modules beside this one are those of a large
city's published statistics, roughly: one firm in ten penalised within two years, 0.8 % dishonest judgment debtors,
0.4 % on a serious list, 5 % abnormal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from privacy.city.events import Events, after, among
from privacy.city.population import Population
from privacy.city.words import (
    pick,
)

Columns = dict[str, Any]
Drawn = tuple[Events, Columns]
Generator = np.random.Generator
STATES = (97.0, 2.0, 1.0)  # normal, disputed (异议), revoked (撤销)


def arrived(rng: Generator, people: Population, events: Events, columns: Columns, since: Any = None) -> Drawn:
    """Only what has reached the platform by today: public records go online within seven working days."""
    reached = after(rng, events.day if since is None else since, 1, 11)
    return kept(events, columns | {"reached_on": reached}, reached <= people.span.today)


def kept(events: Events, columns: Columns, keep: Any) -> Drawn:
    """Only the events, and the values of their columns, where ``keep`` is true."""
    which = pa.array(np.flatnonzero(keep))
    return events.where(keep), {n: c.take(which) if isinstance(c, pa.Array) else c[keep] for n, c in columns.items()}


def state(rng: Generator, count: int) -> pa.Array:
    """The state of each record: a few are disputed or revoked."""
    return pick(("normal", "disputed", "revoked"), among(rng, count, STATES))


def money(rng: Generator, events: Events, middle: float, spread: float, most: float) -> Any:
    """Amounts, a little larger where the risk is high; never above ``most``."""
    drawn = rng.lognormal(np.log(middle) + 0.2 * events.risk, spread)
    return np.round(np.clip(drawn, middle / 200, most), 4)


def where_true(which: Any, word: str) -> pa.Array:
    """The word where true, empty elsewhere."""
    return pa.array([word], pa.string()).take(pa.array(np.zeros(len(which), np.int64), mask=~np.asarray(which)))
