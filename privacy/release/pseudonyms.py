"""Pseudonyms of the codes of a release under the purpose's secret, computed once per distinct code."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from credit.subjects import PseudonymKey
from privacy.duckdb_engine import Engine, quoted


def assign(engine: Engine, codes: Sequence[tuple[str, str]], key: PseudonymKey) -> None:
    """Create the relation ``pseudonym(code, key, byte)`` for the codes in ``(relation, column)`` pairs.

    ``key`` is 32 hex characters, ``byte`` the first of them as a number (a bucket is ``byte * n // 256``).
    """
    every = " UNION ".join(f"SELECT {quoted(column)} AS code FROM {relation}" for relation, column in codes)
    distinct = engine.arrow(f"SELECT DISTINCT code FROM ({every}) WHERE code IS NOT NULL ORDER BY code").column("code")
    keys = [key.hex_of(code) for code in distinct.to_pylist()]
    bytes_ = [int(each[:2], 16) for each in keys]
    table = pa.table({"code": distinct, "key": pa.array(keys, pa.string()), "byte": pa.array(bytes_, pa.uint8())})
    engine.register("new_pseudonyms", table)
    engine.execute("CREATE TEMP TABLE pseudonym AS SELECT * FROM new_pseudonyms")
    engine.unregister("new_pseudonyms")
