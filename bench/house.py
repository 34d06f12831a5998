"""Figures of the code itself: opaque words in it, how long its tests take, and how soon the command line answers."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from bench.record import record
from bench.words.scan import scan

SECONDS = Path("var/bench/make_test.json")  # written by `make test`, with the seconds of its parts
UNSTABLE = Path("var/bench/unstable.json")
STARTED_AT = 1_731  # flags of today's list in the code as it stood before the names were changed (c2a1724)


def words_flagged() -> None:
    """Names, docstrings and comments that the word list flags (``python -m bench.words`` lists them)."""
    record("words_flagged", len(scan()), "flags", goal=0, data="this repository", more={"started_at": STARTED_AT})


def make_test_seconds() -> None:
    """The seconds that the last ``make test`` took on this machine, in all and by part."""
    if not SECONDS.exists():
        print("make_test_seconds: run `make test` first; it writes the seconds that it took")
        return
    parts = json.loads(SECONDS.read_text(encoding="utf-8"))
    record("make_test_seconds", sum(parts.values()), "s", goal=1800, data="this repository", more={"parts": parts})


def unstable_tests() -> None:
    """The tests that failed in the last ``make test`` and passed when they were tried again, alone."""
    if not UNSTABLE.exists():
        print("unstable_tests: run `make test` first; it writes the names of such tests")
        return
    parts = json.loads(UNSTABLE.read_text(encoding="utf-8"))
    record("unstable_tests", sum(map(len, parts.values())), "tests", goal=0, data="this repository", more=parts)


def install_mib() -> None:
    """The size of what ``make install`` puts into the project, in MiB, and of its five largest packages."""
    whole = {part: _mib(Path(part)) for part in (".venv", ".tools") if Path(part).is_dir()}
    packages = Path(".venv/lib/python3.11/site-packages").iterdir()
    largest = sorted(((_mib(each), each.name) for each in packages if each.is_dir()), reverse=True)[:5]
    more = {"parts": whole, "largest": {name: mib for mib, name in largest}}
    record("install_mib", sum(whole.values()), "MiB", data="this repository", more=more)


def _mib(folder: Path) -> int:
    """The disk blocks that a folder uses; a file with several names counts once."""
    blocks = {(stat.st_dev, stat.st_ino): stat.st_blocks for path in folder.rglob("*") for stat in (path.lstat(),)}
    return sum(blocks.values()) * 512 >> 20


def cli_help_seconds() -> None:
    """Processor time of ``haihe --help`` in a fresh process: the median of seven runs.

    The line also has the verb whose own help takes longest. When every verb's module was imported it was 3.7 s.
    """
    from infra.verbs.table import VERBS

    _processor_seconds("--help")  # once unmeasured, as it may compile files
    value = statistics.median(_processor_seconds("--help") for _ in range(7))
    of_verbs = {verb: _processor_seconds(verb, "--help") for verb in VERBS}
    slowest = max(of_verbs, key=lambda verb: of_verbs[verb])
    more = {"slowest_verb": slowest, "slowest_verb_seconds": round(of_verbs[slowest], 3)}
    record("cli_help_seconds", value, "s", goal=0.5, data="this repository", more=more)


def _processor_seconds(*words: str) -> float:
    """User and system time in seconds of one ``haihe`` with these words."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "infra.haihe", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
