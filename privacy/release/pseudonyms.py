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
    distinct = engine.arrow(f"SELECT DISTINCT code, party FROM ({every}) WHERE code IS NOT NULL ORDER BY party, code")
    parties = distinct.column("party").to_pylist()
    by_party = {party: _key_of(key, party) for party in set(parties)}
    keys = [by_party[party].hex_of(code) for code, party in zip(distinct["code"].to_pylist(), parties, strict=True)]
    bytes_ = [int(each[:2], 16) for each in keys]
    table = distinct.append_column("key", pa.array(keys, pa.string())).append_column(
        "byte", pa.array(bytes_, pa.uint8())
    )
    engine.register("new_pseudonyms", table)
    engine.execute("CREATE TEMP TABLE pseudonym AS SELECT * FROM new_pseudonyms")
    engine.unregister("new_pseudonyms")


def _key_of(key: PseudonymKey, party: str) -> PseudonymKey:
    return replace(key, purpose=f"{key.purpose}/{party}") if party else key
