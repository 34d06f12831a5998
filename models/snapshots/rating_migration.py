"""Rating migration (等级变动): how many subjects rose and fell since the last evaluation, by grade and by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

NEW, SAME, UP, DOWN = "new", "same", "up", "down"


class RatingMigration:
    """Counts over the buckets of an evaluation; ``last`` is the number of subjects with each grade before."""

    def __init__(self, grades: Sequence[str], last: Mapping[str, int]) -> None:
        self._names, self._last = tuple(grades), dict(last)
        self._grades: Counter[str] = Counter()
        self._between: Counter[tuple[str, str]] = Counter()
        self._moved: Counter[str] = Counter()
        self._by: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in ("district", "industry", "cause")}

    def add(self, table: pa.Table) -> None:
        """Count the table of one bucket."""
        columns = table.to_pydict()
        self._grades.update(columns["grade"])
        self._moved.update(columns["movement"])
        self._between.update((b, g) for b, g in zip(columns["last_grade"], columns["grade"], strict=True) if b)
        for name, count in self._by.items():
            count.update((str(value), m) for value, m in zip(columns.get(name, ()), columns["movement"], strict=False))

    def as_json(self) -> dict[str, Any]:
        """The counts as plain values, as stored in ``movements.json``."""
        stayed = sum(self._moved[movement] for movement in (SAME, UP, DOWN))
        moved = {name: self._moved[name] for name in (NEW, SAME, UP, DOWN)}
        return {
            "subjects": sum(self._grades.values()),
            "grades": {grade: self._grades[grade] for grade in self._names},
            "last_grades": self._last,
            "moved": moved | {"gone": sum(self._last.values()) - stayed},
            "between": [[b, g, count] for (b, g), count in sorted(self._between.items())],
            "by": {name: _table(count) for name, count in self._by.items()},
        }


def _table(count: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    values = sorted({value for value, _ in count} - {"None"})
    return {value: {m: count[value, m] for m in (NEW, SAME, UP, DOWN)} for value in values}
