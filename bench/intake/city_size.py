"""Intake and release at the size of a city: bills of an invented utility, in deliveries of two million rows.

Every step is a process of its own, so that its memory is its own. The figures of the larger sizes take minutes to hours
and tens of GB of disk, so they run where ``BENCH_CITY_ROWS`` names their size: ``BENCH_CITY_ROWS="2m 20m 100m"``.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from bench.record import record
from credit.actor import Actor
from credit.catalogue import Catalogue
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from credit.uscc import compose
from privacy.duckdb_engine import Limits
from privacy.intake.intake import intake
from privacy.release.policy import Policy
from privacy.release.release import release
from privacy.settings import CustodySettings
from privacy.vault import Vault

OUT = Path("var/bench/city-size")
SIZES = {"2m": 2_000_000, "20m": 20_000_000, "100m": 100_000_000}
SELECTED = os.environ.get("BENCH_CITY_ROWS", "2m").split()
DELIVERY, SUBJECTS, TODAY = 2_000_000, 200_000, date(2026, 11, 1)
MIB, LIMIT = 1024, 2048
DATA = "bills of an invented utility"
BY = Actor.parse("city:bench")


def intake_rss_mib_2m() -> None:
    """The most memory of any delivery until the vault has two million rows."""
    _rss("2m")


def intake_rss_mib_20m() -> None:
    """The same, for 20 million rows."""
    _rss("20m")


def intake_rss_mib_100m() -> None:
    """The same, for 100 million rows."""
    _rss("100m")


def growth_2m_20m() -> None:
    """How much longer ten times the rows take."""
    if _is_selected("20m"):
        few, many = _measured_home("2m"), _measured_home("20m")
        more = {"seconds_2m": few["seconds"], "seconds_20m": many["seconds"]}
        record("growth_2m_20m", many["seconds"] / few["seconds"], "times", goal=11, data=DATA, more=more)


def delivery_seconds_1m_into_20m() -> None:
    """Seconds for one million rows more, of which one in five replaces a stored one."""
    for size, figure in (("2m", "delivery_seconds_1m_into_2m"), ("20m", "delivery_seconds_1m_into_20m")):
        if _is_selected(size):
            _measured_home(size)
            with tempfile.TemporaryDirectory(dir=OUT) as copy:
                home = Path(copy) / "home"
                shutil.copytree(OUT / size, home, copy_function=os.link)
                _write_bills(
                    home / "raw" / "utility_arrears_next.parquet", SIZES[size] - 200_000, 1_000_000, again=True
                )
                done = _process("intake", home)
            record(figure, done["seconds"], "s", goal=60, data=DATA, more={"rss_mib": done["rss_mib"]})


def release_ratio_20m() -> None:
    """Seconds of a release, beside those of DuckDB copying the same rows and columns with the same compression."""
    for size, figure in (("2m", "release_ratio_2m"), ("20m", "release_ratio_20m")):
        if _is_selected(size):
            _measured_home(size)
            made, copied = _process("release", OUT / size), _process("copy", OUT / size)
            more = {"seconds": made["seconds"], "copy_seconds": copied["seconds"], "rss_mib": made["rss_mib"]}
            record(figure, made["seconds"] / copied["seconds"], "times", goal=2, data=DATA, more=more)


def _rss(size: str) -> None:
    if _is_selected(size):
        done = _measured_home(size)
        more = {"rows": SIZES[size], "seconds": done["seconds"], "bytes_per_row": done["bytes"] / SIZES[size]}
        record(f"intake_rss_mib_{size}", done["rss_mib"], "MiB", goal=LIMIT, data=DATA, more=more)


def _is_selected(size: str) -> bool:
    return size in SELECTED


@cache
def _measured_home(size: str) -> dict[str, float]:
    """A home with so many rows, brought in by deliveries: seconds, the most memory, and the bytes of its files."""
    home = OUT / size
    shutil.rmtree(home, ignore_errors=True)
    (home / "raw").mkdir(parents=True)
    SigningKey.create(home / "keys", "custody")
    seconds, rss = 0.0, 0.0
    for first in range(0, SIZES[size], DELIVERY):
        path = home / "raw" / "utility_arrears.parquet"
        _write_bills(path, first, DELIVERY)
        done = _process("intake", home)
        seconds, rss = seconds + done["seconds"], max(rss, done["rss_mib"])
        path.unlink()
        print(f"{first + DELIVERY:,} rows: {done}", file=sys.stderr)
    stored = sum(path.stat().st_size for path in (home / "vault").rglob("*.parquet"))
    return {"seconds": round(seconds, 1), "rss_mib": rss, "bytes": stored}


def _write_bills(path: Path, first: int, rows: int, *, again: bool = False) -> None:
    """Bills by number, of twelve years. ``again``: reported later, half of the first 200,000 with other amounts."""
    codes = [compose("91", "999998", f"{number:08d}").code for number in range(SUBJECTS)]
    base = duckdb.connect(config={"memory_limit": "2GB"})
    base.execute("CREATE TABLE code AS SELECT unnest(?) AS code, unnest(range(?)) AS number", [codes, SUBJECTS])
    amount = "round(hash(bill) % 500000 / 100, 2)"
    if again:
        amount = f"if(bill < {first + 200_000} AND bill % 2 = 0, {amount} + 1, {amount})"
    base.execute(f"""COPY (SELECT '虚构用户' || number AS 用户名称, code AS 统一社会信用代码,
            lpad(CAST(number AS VARCHAR), 10, '0') AS 用户编号, '虚构路' || number % 997 || '号' AS 用能地址,
            'ZD' || lpad(CAST(bill AS VARCHAR), 12, '0') AS 账单编号, ['水', '电', '气'][bill % 3 + 1] AS 费用类别,
            strftime(month, '%Y-%m-%d') AS 账单月份, CAST({amount} AS VARCHAR) AS 欠费金额,
            strftime(month + INTERVAL {40 if again else 10} DAY, '%Y-%m-%d') AS 采集日期
        FROM (SELECT range AS bill, hash(range) % {SUBJECTS} AS owner,
            DATE '2014-01-01' + to_months(CAST(hash(range + 1) % 144 AS INTEGER)) AS month
            FROM range({first}, {first + rows})) JOIN code ON number = owner)
        TO '{path}' (FORMAT parquet)""")
    base.close()


def _process(step: str, home: Path) -> dict[str, float]:
    """Run a step in a process of its own: its seconds and its most memory."""
    done = subprocess.run([sys.executable, "-m", "bench.intake.city_size", step, str(home)], capture_output=True)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-2000:])
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _intake(home: Path, limits: Limits) -> None:
    key = SigningKey.load(home / "keys", "custody")
    report = intake(
        home / "raw",
        catalogue=Catalogue.load("city"),
        vault=Vault(home / "vault", b"v" * 32),
        ledger=Ledger(home / "ledger.jsonl", key, KeyRing.of(key)),
        by=BY,
        today=TODAY,
        limits=limits,
    )
    print(report.message, file=sys.stderr)


def _release(home: Path, limits: Limits) -> None:
    key = SigningKey.load(home / "keys", "custody")
    shutil.rmtree(home / "shelf", ignore_errors=True)
    release(
        purpose="scoring",
        catalogue=Catalogue.load("city"),
        vault=Vault(home / "vault", b"v" * 32),
        policy=Policy.load(),
        shelf=Shelf(home / "shelf", KeyRing.of(key)),
        key=key,
        pseudonym_key=PseudonymKey("scoring", b"s" * 32),
        ledger=Ledger(home / "ledger.jsonl", key, KeyRing.of(key)),
        by=BY,
        as_of=TODAY,
        invented=True,
        limits=limits,
    )


def _copy(home: Path, limits: Limits) -> None:
    """DuckDB's own copy of the files of the release."""
    files = next((home / "shelf").rglob("utility_arrears")) / "*.parquet"
    base = duckdb.connect(config={"memory_limit": limits.memory, "threads": limits.threads})
    base.execute(f"COPY (FROM read_parquet('{files}')) TO '{home / 'copy.parquet'}' (FORMAT parquet, COMPRESSION zstd)")
    (home / "copy.parquet").unlink()


STEPS: dict[str, Callable[[Path, Limits], None]] = {"intake": _intake, "release": _release, "copy": _copy}


def _main(step: str, home: str) -> dict[str, Any]:
    defaults = {field.name: field.default for field in CustodySettings.__dataclass_fields__.values()}
    limits = Limits(str(defaults["memory"]), int(str(defaults["threads"])), None)
    begun = time.perf_counter()
    STEPS[step](Path(home), limits)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    return {"seconds": round(time.perf_counter() - begun, 1), "rss_mib": round(peak)}


if __name__ == "__main__":
    print(json.dumps(_main(*sys.argv[1:])))
