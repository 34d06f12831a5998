"""Run a part of the tests, and what failed once more, alone: ``python tests/again.py PART [pytest's words …]``.

A test that waits for another process can fail because the machine was slow at that moment, and one such test of seven
thousand would refuse a whole day's work. A test that also fails alone is a fault, and so are more than MOST at once.
One that passes the second time is named loudly and written to `var/bench/unstable.json`: `make bench
ONLY=unstable_tests` counts them. Each has to be repaired: its fault of order or timing may be in the product.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

MOST = 3  # tests that may be tried again
ALONE = ("-n", "0", "--dist", "no")  # the last words on processes are those that count
UNSTABLE = Path("var/bench/unstable.json")


def run(part: str, words: list[str]) -> int:
    """pytest's exit code for a part: of the second run where there was one."""
    cache = Path("var/tests") / part  # of its own, as the developer's has what failed weeks ago
    shutil.rmtree(cache, ignore_errors=True)
    pytest = [sys.executable, "-m", "pytest", "-o", f"cache_dir={Path.cwd() / cache}"]
    code = subprocess.run([*pytest, *words]).returncode
    failed = _failed(cache)
    if code == 1 and 1 <= len(failed) <= MOST:
        print("\n== tried again, alone: " + ", ".join(failed), flush=True)
        code = subprocess.run([*pytest, "--last-failed", "--last-failed-no-failures=none", *words, *ALONE]).returncode
        failed = [name for name in failed if name not in _failed(cache)]
        if code == 0:
            print("== UNSTABLE, to be repaired: " + ", ".join(failed), flush=True)
    else:
        failed = []
    known = json.loads(UNSTABLE.read_text(encoding="utf-8")) if UNSTABLE.exists() else {}
    UNSTABLE.parent.mkdir(parents=True, exist_ok=True)
    UNSTABLE.write_text(json.dumps({**known, part: failed}, indent=1) + "\n", encoding="utf-8")
    return code


def _failed(cache: Path) -> list[str]:
    """The names of the tests that failed in the last run with this cache."""
    path = cache / "v" / "cache" / "lastfailed"
    return sorted(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else []


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
