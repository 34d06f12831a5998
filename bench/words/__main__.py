"""``python -m bench.words [PATH …]``: list every flagged identifier and sentence; ``--count`` prints the number
alone."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.words.scan import Flag, scan


def main(arguments: list[str]) -> None:
    """Print ``file:line name (write …)`` for each flag below the given paths, or below every package of ours."""
    flags = scan([Path(name) for name in arguments if not name.startswith("-")])
    if "--count" not in arguments:
        for flag in flags:
            print(_line(flag))
    print(len(flags))


def _line(flag: Flag) -> str:
    return f"{flag.path}:{flag.line} {flag.kind} {flag.text!r} (write: {flag.instead})"


if __name__ == "__main__":
    main(sys.argv[1:])
