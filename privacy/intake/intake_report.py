"""The report of an intake: counts by table and reason. It has no data of subjects, so it may be shown and stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from credit.messages import Text


@dataclass(frozen=True, slots=True)
class TableCount:
    """Numbers of rows of one table; ``rows_in == kept + duplicates + quarantined`` always holds.

    ``updated`` of the kept rows replaced an older version, ``duplicates`` were stored already, and ``reasons`` count
    the quarantined rows. ``others`` counts the lines that are no rows, by kind: titles, second headers, totals, notes,
    blank lines.
    """

    rows_in: int
    kept: int
    updated: int
    duplicates: int
    quarantined: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """One intake: counts by table, SHA-256 of the files by name, and the files that were not read, with the reason.

    ``messages`` has each reason of the tables as a message that exists in every language.
    """

    tables: Mapping[str, TableCount]
    files: Mapping[str, str]
    not_read: Mapping[str, Text]
    changed: bool
    messages: Mapping[str, Text] = field(default_factory=dict)

    @property
    def ignored(self) -> tuple[str, ...]:
        """The names of the files that were not read."""
        return tuple(self.not_read)

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
    def others(self) -> dict[str, int]:
        """Lines of all files that are no rows, by kind."""
        kinds: dict[str, int] = {}
        for count in self.tables.values():
            for kind, number in count.others.items():
                kinds[kind] = kinds.get(kind, 0) + number
        return kinds

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
                "others": dict(count.others),
            }
            for name, count in self.tables.items()
        }
        ignored = {name: why.as_json() for name, why in self.not_read.items()}
        return {"tables": tables, "files": dict(self.files), "ignored": ignored, "changed": self.changed}

    def for_ledger(self) -> dict[str, Any]:
        """The report without a name of a file, which may name a subject: every zone reads a ledger.

        A file has the beginning of its digest as its name; of those that were not read the reasons are there, counted.
        """
        files = {f"file-{digest[:12]}": digest for digest in sorted(set(self.files.values()))}
        reasons = Counter(why.render() for why in self.not_read.values())
        return self.as_json() | {"files": files, "ignored": dict(sorted(reasons.items()))}
