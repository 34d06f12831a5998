"""Surrogate codes for subjects that a source identifies by its own codes: valid codes in a division that is not used.

The serial comes from an HMAC of the raw code under the data key of this table, so that the same raw code is the same
subject in every table. The assigned codes are stored in the vault, so that they stay the same in later years and two
raw codes never get the same surrogate.
"""

from __future__ import annotations

import hmac

import pyarrow as pa

from credit.uscc import ALPHABET, compose
from privacy.duckdb_engine import Engine
from privacy.storage.change import WHOLE, Change
from privacy.vault import Vault

NAME = "_surrogates"
DIVISION = "999999"  # not assigned (GB/T 2260 ends at 829999)
INDIVIDUAL = (
    "individual_business",
    "个体工商户",
    "个体经营",
    "个体",
)  # terms for an individual business in the sources


def assign(engine: Engine, query: str, vault: Vault, change: Change) -> None:
    """Create the relation ``surrogates(raw, code)`` for every ``raw`` of ``query``, whose columns are raw and kind.

    New ones are in ``change``.
    """
    schema = pa.schema([("raw", pa.string()), ("code", pa.string())])
    stored = vault.read(NAME) if NAME in vault.names() else schema.empty_table()
    engine.register("stored_surrogates", stored)
    rows = engine.rows(
        f"SELECT raw, bool_or(coalesce(kind, '') IN {INDIVIDUAL}) FROM ({query}) WHERE raw IS NOT NULL "
        "AND raw NOT IN (SELECT raw FROM stored_surrogates) GROUP BY raw ORDER BY raw"
    )
    engine.unregister("stored_surrogates")
    key = hmac.digest(vault.keys.key_or_new(NAME, WHOLE), b"surrogate codes", "sha256")
    used = set(stored.column("code").to_pylist())
    codes: list[str] = []
    for raw, individual in rows:
        codes.append(_surrogate(key, raw, "92" if individual else "91", used))
    table = pa.concat_tables([stored, pa.table({"raw": [row[0] for row in rows], "code": codes}, schema=schema)])
    if rows:
        change.write(NAME, table.to_batches())
    engine.register("surrogates", table)


def _surrogate(key: bytes, raw: str, prefix: str, used: set[str]) -> str:
    attempt = 0
    while True:
        number = int.from_bytes(hmac.digest(key, f"{attempt}\x1f{raw}".encode(), "sha256"))
        serial = ""
        for _ in range(8):
            number, place = divmod(number, len(ALPHABET))
            serial += ALPHABET[place]
        code = compose(prefix, DIVISION, serial).code
        if code not in used:
            used.add(code)
            return code
        attempt += 1
