"""The rules of data quality as data: ``rules.yaml`` in this folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from credit.errors import Malformed
from credit.messages import Text
from privacy.quality.working_days import NoticedYear, WorkingDays

HERE = Path(__file__).with_name("rules.yaml")


@dataclass(frozen=True, slots=True)
class QualityRules:
    """Working days, by item, until a record has to be on the platform; the columns that name a unit; the calendar."""

    items: Mapping[str, int]
    source_columns: tuple[str, ...]
    code_columns: tuple[str, ...]
    sample_size: int
    calendar: WorkingDays

    @classmethod
    def load(cls, path: Path = HERE) -> QualityRules:
        """Read the rules; raises :class:`Malformed` with the cause."""
        try:
            data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
            return cls(
                items={name: int(item["working_days"]) for name, item in data["items"].items()},
                source_columns=tuple(data["source_columns"]),
                code_columns=tuple(data["code_columns"]),
                sample_size=int(data["sample"]["size"]),
                calendar=WorkingDays({int(year): _noticed(int(year), each) for year, each in data["calendar"].items()}),
            )
        except (KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
            why = Text.verbatim(f"{type(error).__name__}: {error}".replace("\n", " "))
            raise Malformed("quality.rules-not-readable", why=why, path_name=path.name) from error


def _noticed(year: int, data: Mapping[str, Any]) -> NoticedYear:
    days = {name: frozenset(data.get(name) or ()) for name in ("holidays", "working")}
    for day in (each for kind in days.values() for each in kind):
        if not isinstance(day, date) or day.year != year:
            raise ValueError(f"{day} is no day of {year}")
    return NoticedYear(days["holidays"], days["working"])
