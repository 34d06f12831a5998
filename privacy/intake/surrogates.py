"""Surrogate codes for subjects that a source names by a code of its own: valid codes of a division nobody has.

The serial is taken from an HMAC of the raw code under a key of the vault, so that the same raw code is the same subject
in each table; the table of those given is kept in the vault, so that it stays so in later years and two raw codes never
share one surrogate.
"""

from __future__ import annotations

import hmac

import pyarrow as pa

from credit.uscc import ALPHABET, compose
from privacy.duckdb_engine import Engine
from privacy.vault import Vault

NAME = "_surrogates"
DIVISION = "999999"  # no place has it (GB/T 2260 ends at 829999)
INDIVIDUAL = ("individual_business", "个体工商户", "个体经营", "个体")  # words of sources for an individual business


def assign(engine: Engine, found: str, vault: Vault) -> bool:
    """Make ``surrogates(raw, code)`` in the engine for every ``raw`` of the query ``found`` (raw, kind text).

    True when some are new: then they are in the vault already when this returns.
    """
    schema = pa.schema([("raw", pa.string()), ("code", pa.string())])
    held = vault.read(NAME) if NAME in vault.names() else schema.empty_table()
    engine.lend("held_surrogates", held)
    rows = engine.rows(
        f"SELECT raw, bool_or(coalesce(kind, '') IN {INDIVIDUAL}) FROM ({found}) WHERE raw IS NOT NULL "
        "AND raw NOT IN (SELECT raw FROM held_surrogates) GROUP BY raw ORDER BY raw"
    )
    engine.take_back("held_surrogates")
    key = hmac.digest(vault.secret, b"surrogate codes", "sha256")
    taken = set(held.column("code").to_pylist())
    codes: list[str] = []
    for raw, individual in rows:
        codes.append(_surrogate(key, raw, "92" if individual else "91", taken))
    table = pa.concat_tables([held, pa.table({"raw": [row[0] for row in rows], "code": codes}, schema=schema)])
    if rows:
        vault.write(NAME, table)
    engine.lend("surrogates", table)
    return bool(rows)


def _surrogate(key: bytes, raw: str, prefix: str, taken: set[str]) -> str:
    attempt = 0
    while True:
        number = int.from_bytes(hmac.digest(key, f"{attempt}\x1f{raw}".encode(), "sha256"))
        serial = ""
        for _ in range(8):
            number, place = divmod(number, len(ALPHABET))
            serial += ALPHABET[place]
        code = compose(prefix, DIVISION, serial).code
        if code not in taken:
            taken.add(code)
            return code
        attempt += 1
