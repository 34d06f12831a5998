"""The quality of a month as a CSV, one line a source unit and item."""

from __future__ import annotations

import csv
import io

from credit.messages import Text
from privacy.quality.measures import MonthQuality, UnitQuality

COLUMNS = ("item", "source", "division", "received", "stored", "compliance", "late", "assessed", "lateness", "changed",
           "change", "corrected")  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would calculate


def csv_of(quality: MonthQuality) -> bytes:
    """UTF-8 with a byte order mark, which Excel needs; rates as numbers in [0, 1], empty where there is none.

    The last column counts the reasons of what was rejected. No cell is a formula.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["month", *COLUMNS, "reasons"])
    for unit in quality.units:
        values = unit.as_json()
        cells = ["" if values[name] is None else str(values[name]) for name in COLUMNS]
        writer.writerow([_text(cell) for cell in (quality.month, *cells, reasons_of(quality, unit, "zh"))])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def reasons_of(quality: MonthQuality, unit: UnitQuality, language: str) -> str:
    """What was rejected of a unit, and how often, most frequent first."""
    parts = [f"{reason_text(quality, reason, language)} ({count})" for reason, count in unit.reasons.most_common()]
    return "; ".join(parts)


def reason_text(quality: MonthQuality, reason: str, language: str) -> str:
    """A reason in a language; in English where it was stored by an earlier version."""
    known = Text.from_json(quality.messages[reason]) if reason in quality.messages else None
    return known.render(language) if known is not None else reason


def _text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
