"""The report of an intake: counts by table and reason. It has no data of subjects, so it may be shown and stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TableCount:
    """Numbers of rows of one table; ``rows_in == kept + duplicates + quarantined`` always holds.

    ``updated`` of the kept rows replaced an older version, ``duplicates`` were stored already, and ``reasons`` count
    the quarantined rows.
    """

    rows_in: int
    kept: int
    updated: int
    duplicates: int
    quarantined: int
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """One intake: counts by table, SHA-256 of the files by name, and the files that are neither CSV nor Parquet."""

    tables: Mapping[str, TableCount]
    files: Mapping[str, str]
    ignored: tuple[str, ...]
    changed: bool

    @property
    def rows_in(self) -> int:
        """Rows of all files, good and bad."""
        return sum(count.rows_in for count in self.tables.values())

    @property
    def kept(self) -> int:
        """Rows that were added to the raw tables."""
        return sum(count.kept for count in self.tables.values())

    @property
    def duplicates(self) -> int:
        """Rows that were stored already."""
        return sum(count.duplicates for count in self.tables.values())

    @property
    def quarantined(self) -> int:
        """Rows that were rejected, each with its reason in the quarantine table."""
        return sum(count.quarantined for count in self.tables.values())

    @property
    def message(self) -> str:
        """The report in one sentence."""
        if not self.changed:
            return f"Nothing new: all {self.rows_in:,} rows of {len(self.files)} files are held or quarantined already"
        return (
            f"{self.rows_in:,} rows of {len(self.files)} files: {self.kept:,} kept, {self.duplicates:,} held already, "
            f"{self.quarantined:,} quarantined"
        )

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        tables = {
            name: {
                "rows_in": count.rows_in,
                "kept": count.kept,
                "updated": count.updated,
                "duplicates": count.duplicates,
                "quarantined": count.quarantined,
                "reasons": dict(count.reasons),
            }
            for name, count in self.tables.items()
        }
        return {"tables": tables, "files": dict(self.files), "ignored": list(self.ignored), "changed": self.changed}
