"""What an intake did: counts by table and reason. Nothing of a subject is in it, so it may be shown and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TableCount:
    """Rows of one table: ``rows_in == kept + duplicates + quarantined``, always.

    ``updated`` of the kept replaced an older version; ``duplicates`` were held already; ``reasons`` count quarantined.
    """

    rows_in: int
    kept: int
    updated: int
    duplicates: int
    quarantined: int
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """One intake: counts by table, digests of the files, the files that are neither CSV nor Parquet."""

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
        """Rows that are now in the raw tables and were not before."""
        return sum(count.kept for count in self.tables.values())

    @property
    def duplicates(self) -> int:
        """Rows that were held already."""
        return sum(count.duplicates for count in self.tables.values())

    @property
    def quarantined(self) -> int:
        """Rows that were not taken in, each with its reason in the quarantine table."""
        return sum(count.quarantined for count in self.tables.values())

    @property
    def message(self) -> str:
        """The intake in a sentence."""
        if not self.changed:
            return f"Nothing new: all {self.rows_in:,} rows of {len(self.files)} files are held or quarantined already"
        return (
            f"{self.rows_in:,} rows of {len(self.files)} files: {self.kept:,} kept, {self.duplicates:,} held already, "
            f"{self.quarantined:,} quarantined"
        )

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
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
