"""Where each table is read: one loader a source, the traps of its data handled there."""

from __future__ import annotations

from collections.abc import Callable

from bench.quality import beijing, cumcm, uci
from bench.quality.tables import Table


def tables() -> dict[str, Callable[[], Table]]:
    """A loader for every table of the benchmark, by its name."""
    return {
        "Polish, 1 year": lambda: uci.polish(1),
        "Polish, 5 years": lambda: uci.polish(5),
        "UCI cards": uci.cards,
        "German": uci.german,
        "Beijing culture": beijing.culture,
        "Beijing Miyun": beijing.miyun,
        "CUMCM invoices": cumcm.invoices,
    }
