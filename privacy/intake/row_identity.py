"""What identifies a row on disk: 128 bits of SHA-256 of its key and of its content, its period, and its bucket.

They are stored beside the row, so they depend on nothing but its values: a column that a later catalogue adds changes
neither, as long as it has no value. Normalised values have no control characters, which separate them here.
"""

from __future__ import annotations

from collections.abc import Iterable

from credit.catalogue import Table
from credit.fields import Field
from privacy.duckdb_engine import Engine, quoted, text
from privacy.storage.change import PERIOD, WHOLE
from privacy.vault import BUCKET, CONTENT, KEY

UNDATED = "undated"


def identify(engine: Engine, table: Table, pool: str, *, registers: bool) -> None:
    """Create ``fresh``: the rows of relation ``pool`` with what identifies each. The pool is dropped.

    A row's period is the year in which it happened; a register, which has one row a subject, has one period.
    """
    happened = table.time.happened
    period = text(WHOLE)
    if happened and not registers:
        period = f"coalesce(strftime({quoted(happened.column)}, '%Y'), {text(UNDATED)})"
    subject = quoted(table.subject.column)
    content = _digest(table.fields)
    key = _digest(table.key) if table.key else "unhex(left(sha256(concat(_source, chr(31), _line)), 32))"
    if numbers := [quoted(field.column) for field in table.key if field.number]:
        # Records without a number are the same one only when all that they say is the same.
        key = f"if({' AND '.join(f'{number} IS NOT NULL' for number in numbers)}, {key}, {content})"
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT *, {key} AS {KEY}, {content} AS {CONTENT}, "
        f"{period} AS {PERIOD}, CAST('0x' || left(sha256({subject}), 2) AS UTINYINT) AS {BUCKET} FROM {pool}"
    )
    engine.execute(f"DROP TABLE {pool}")


def _digest(fields: Iterable[Field]) -> str:
    """SQL for 16 bytes of the digest of some columns; one without a value adds nothing."""
    parts = (
        f"coalesce({text(field.column)} || chr(31) || CAST({quoted(field.column)} AS VARCHAR) || chr(30), '')"
        for field in sorted(fields, key=lambda field: field.column)
    )
    return f"unhex(left(sha256({' || '.join(parts)}), 32))"
