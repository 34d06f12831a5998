"""A ledger of ten million entries: opening it, looking one entry up, appending to it; and how fast ledgers verify.

Its entries are like those of the service. It is written by the real writer in groups, in ``var/`` (8 GB), and deleted
afterwards.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.record import record
from credit.actor import Actor, Role
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger

ENTRIES = int(os.environ.get("BENCH_LEDGER_ENTRIES", 10_000_000))
FOLDER = Path(os.environ.get("BENCH_LEDGER_FOLDER", "var"))  # 9 GB of room for a while
GROUP = 250  # entries in one write, as many as the service writes at once
DATA = "entries like the service's, 778 bytes each"
BANK = Actor("bohai", Role.BANK)
DETAILS = {
    "bank": "bohai", "mandate": "mandate-" + "a" * 32, "subject": "b" * 64, "snapshot": "snapshot-" + "c" * 64,
    "version": "version-" + "d" * 64, "digest": "e" * 64, "points": 612, "grade": "BB", "status": 200, "salt": "f" * 32,
}  # fmt: skip


def ledger_open_ms_10m() -> None:
    """Milliseconds until a new reader and writer of the ledger has appended its first entry: median of 21."""
    with filled(ENTRIES) as ledger:
        opened = [_milliseconds(lambda: _new(ledger).append("score.answered", "first", by=BANK)) for _ in range(21)]
        record("ledger_open_ms_10m", statistics.median(opened), "ms", goal=50, data=DATA, more=_about(ledger, opened))
        _look_up(ledger)


def ledger_lookup_ms_10m() -> None:
    """Milliseconds to look up an object with a reader that has read nothing before: median of 101 objects."""
    with filled(ENTRIES) as ledger:
        _look_up(ledger)


def ledger_verify_per_second() -> None:
    """Entries verified in a second of one processor: the median of five."""
    with filled(60_000) as ledger:
        per_second = []
        for _ in range(5):
            begin = time.process_time()
            count = _new(ledger).verify()
            per_second.append(count / (time.process_time() - begin))
        record("ledger_verify_per_second", statistics.median(per_second), "entries/s", goal=50_000, data=DATA)


def ledger_appends_per_second() -> None:
    """Durable appends in a second: one by one, and in groups of a hundred, in ``var/`` on the machine's disk."""
    with filled(1000) as ledger:
        one = _rate(lambda n: ledger.append("score.answered", f"one-{n}", by=BANK, details=DETAILS), 2000)
        acts = [("score.answered", "many", BANK, DETAILS)] * 100
        many = 100 * _rate(lambda _: ledger.append_many(acts), 200)
        record("ledger_appends_per_second", one, "entries/s", data=DATA, more={"in_groups_of_100": round(many)})


@contextmanager
def filled(count: int, parent: Path = FOLDER) -> Iterator[Ledger]:
    """A ledger with ``count`` entries, sealed and indexed; deleted afterwards."""
    parent.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-ledger-", dir=parent))
    try:
        key = SigningKey.create(folder, "service")
        ledger = Ledger(folder / "service.jsonl", key, KeyRing.of(key), "service")
        for begin in range(0, count, GROUP):
            group = range(begin, min(begin + GROUP, count))
            ledger.append_many([("score.answered", f"score-{n:032x}", BANK, DETAILS) for n in group])
        ledger.seal_closed()
        yield ledger
    finally:
        shutil.rmtree(folder)


def _look_up(ledger: Ledger) -> None:
    numbers = random.Random(7).sample(range(ENTRIES), 101)
    times, processor = [], []
    for number in numbers:
        name = f"score-{number:032x}"
        begin, worked = time.perf_counter(), time.process_time()
        (entry,) = _new(ledger).about(name)
        times.append((time.perf_counter() - begin) * 1000)
        processor.append((time.process_time() - worked) * 1000)
        assert entry.seq == number + 1
    more = {**_about(ledger, times), "processor_ms": round(statistics.median(processor), 3)}  # also on a busy machine
    record("ledger_lookup_ms_10m", statistics.median(times), "ms", goal=20, data=DATA, more=more)


def _new(ledger: Ledger) -> Ledger:
    return Ledger(ledger.path, ledger.key, ledger.ring, ledger.zone)


def _about(ledger: Ledger, times: list[float]) -> dict[str, float]:
    segments = len(ledger.store.segments())
    return {"entries": ledger.head()[0], "segments": segments, "p95": round(statistics.quantiles(times, n=20)[-1], 2)}


def _milliseconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return (time.perf_counter() - begin) * 1000


def _rate(act: Callable[[int], object], count: int) -> float:
    begin = time.perf_counter()
    for number in range(count):
        act(number)
    return count / (time.perf_counter() - begin)
