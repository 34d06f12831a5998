"""Pseudonyms of the codes of a release under the purpose's secret, computed once per distinct code.

A subject is keyed by the purpose. A code that names another party in a column, such as the counterparty of an invoice,
is keyed by the purpose and that column: within the column equal codes stay equal, and the party cannot be found
among the subjects or in another column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from credit.subjects import PseudonymKey
from privacy.duckdb_engine import Engine, quoted, text

_AT_ONCE = 100_000  # codes that are in memory while their keys are computed


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes in a column of a relation. ``party`` is empty for subjects, else it names the column: another party."""

    relation: str
    column: str
    party: str = ""


def assign(engine: Engine, codes: Sequence[Codes], key: PseudonymKey) -> None:
    """Create the relation ``pseudonym(code, party, key, byte)`` for these codes.

    ``key`` is 32 hex characters, ``byte`` the first of them as a number (a bucket is ``byte * n // 256``).
    """
    every = " UNION ".join(
        f"SELECT {quoted(each.column)} AS code, {text(each.party)} AS party FROM {each.relation}" for each in codes
    )
    engine.execute(
        f"CREATE TEMP TABLE codes AS SELECT DISTINCT code, party FROM ({every}) WHERE code IS NOT NULL "
        "ORDER BY party, code"
    )
    engine.execute("CREATE TEMP TABLE pseudonym (code VARCHAR, party VARCHAR, key VARCHAR, byte UTINYINT)")
    by_party = {party: _key_of(key, party) for party in {each.party for each in codes}}
    for start in range(0, int(engine.one("SELECT count(*) FROM codes")), _AT_ONCE):
        some = engine.arrow(f"SELECT code, party FROM codes WHERE rowid >= {start} AND rowid < {start + _AT_ONCE}")
        given, parties = some.column("code").to_pylist(), some.column("party").to_pylist()
        keys = [by_party[party].hex_of(code) for code, party in zip(given, parties, strict=True)]
        bytes_ = [int(each[:2], 16) for each in keys]
        table = some.append_column("key", pa.array(keys, pa.string())).append_column(
            "byte", pa.array(bytes_, pa.uint8())
        )
        engine.register("new_pseudonyms", table)
        engine.execute("INSERT INTO pseudonym FROM new_pseudonyms")
        engine.unregister("new_pseudonyms")
    engine.execute("DROP TABLE codes")


def _key_of(key: PseudonymKey, party: str) -> PseudonymKey:
    return replace(key, purpose=f"{key.purpose}/{party}") if party else key
