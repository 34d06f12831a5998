"""What an attacker reads of destroyed data who has every file ever, the master key and all keys that are left."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

import pyarrow as pa

from bench.record import record
from credit.errors import CreditError
from privacy.storage.change import PERIOD
from privacy.storage.master_key import SecretMasterKey
from privacy.vault import BUCKET, Vault

YEARS, ROWS = range(2005, 2025), 500
MASTER = SecretMasterKey(b"m" * 32)


def shredded_recovered() -> None:
    """Destroy half of twenty periods and try every key that is left, and every place, on every file that ever was."""
    with tempfile.TemporaryDirectory() as folder:
        vault, copy = Vault(Path(folder) / "vault", MASTER), Path(folder) / "copy"
        with vault.exclusive(), vault.change() as change:
            for year in YEARS:
                values = {"secret": [f"SECRET-{year}-{row}" for row in range(ROWS)], PERIOD: [str(year)] * ROWS}
                change.append("things", [pa.record_batch(values | {BUCKET: pa.array([0] * ROWS, pa.uint8())})])
        shutil.copytree(vault.folder, copy, ignore=shutil.ignore_patterns("keys"))
        destroyed = [str(year) for year in YEARS if year % 2]
        for period in destroyed:
            vault.destroy("things", period)
        shutil.copytree(vault.folder / "keys", copy / "keys")
        recovered, tried = _recovered(Vault(copy, MASTER), destroyed)
    more = {"tried": tried, "periods": len(destroyed), "rows": len(destroyed) * ROWS}
    record("shredded_recovered", recovered, "rows", goal=0, data="invented rows", more=more)


def _recovered(stolen: Vault, destroyed: list[str]) -> tuple[int, int]:
    recovered = tried = 0
    lost = [file for file in stolen.files().of("things") if file.period in destroyed]
    assert len(lost) == len(destroyed)
    keys = [("things", str(year)) for year in YEARS] + [("_files", "all")]
    for file, (table, period) in itertools.product(lost, keys):
        tried += 1
        try:
            key = stolen.keys.key(table, period)
            recovered += sum(batch.num_rows for batch in file.batches(stolen.folder, key, ["secret"]))
        except CreditError:
            continue
    for file in lost:
        recovered += file.path(stolen.folder).read_bytes().count(b"SECRET-")
    return recovered, tried
