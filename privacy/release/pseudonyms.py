"""Codes become keys under the purpose's secret, once for each distinct code of a release."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from credit.subjects import PseudonymKey
from privacy.duckdb_engine import Engine, quoted


def assign(engine: Engine, codes: Sequence[tuple[str, str]], key: PseudonymKey) -> None:
    """Make ``pseudonym(code, key, byte)`` for the codes in ``(relation, column)`` pairs.

    ``key`` is 32 hex characters, ``byte`` the first of them as a number (a bucket is ``byte * n // 256``).
    """
    every = " UNION ".join(f"SELECT {quoted(column)} AS code FROM {relation}" for relation, column in codes)
    found = engine.arrow(f"SELECT DISTINCT code FROM ({every}) WHERE code IS NOT NULL ORDER BY code").column("code")
    keys = [key.hex_of(code) for code in found.to_pylist()]
    bytes_ = [int(each[:2], 16) for each in keys]
    table = pa.table({"code": found, "key": pa.array(keys, pa.string()), "byte": pa.array(bytes_, pa.uint8())})
    engine.lend("pseudonym_given", table)
    engine.do("CREATE TEMP TABLE pseudonym AS SELECT * FROM pseudonym_given")
    engine.take_back("pseudonym_given")
