"""The columns of a job's input and result files, whatever their format, and the limits of an input file."""

from __future__ import annotations

MAX_LINES, MAX_BYTES, MAX_LINE_LENGTH = 100_000, 16 << 20, 512  # lines, bytes, and characters per line of an input file
INPUT_COLUMNS = ("uscc", "purpose", "mandate")
OUTPUT_COLUMNS = (
    "line",
    "status",
    "uscc",
    "score_id",
    "default_probability",
    "points",
    "grade",
    "reasons",
    "rules",
    "missing",
    "valid_until",
    "mandate",
    "model",
    "version",
    "snapshot",
    "entry",
    "digest",
    "problem",
)
COLUMN_TYPES = {"line": "int32", "status": "int16", "default_probability": "float64", "points": "float64",
           "valid_until": "date32"}  # fmt: skip
CSV, PARQUET, PARQUET_MAGIC = "text/csv", "application/vnd.apache.parquet", b"PAR1"
