"""Figures of the code itself: how many words in it a newcomer would not understand, and how long its tests take."""

from __future__ import annotations

import json
from pathlib import Path

from bench.record import record
from bench.words.scan import scan

SECONDS = Path("var/bench/make_test.json")  # written by `make test`, with the seconds of its parts
STARTED_AT = 1_636  # flags of this list's first version, counted in the code as it stood before the names were changed


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
