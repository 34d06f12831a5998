"""A process of its own that reads one workbook and prints its cells, so that no workbook can take custody down.

A workbook of two kilobytes can make its reader ask for hundreds of gigabytes, which ends the process that reads it
(calamine issue 693). This script imports nothing of ours: ``python -I workbook_process.py PATH MEGABYTES SECONDS``. It
prints JSON lines: ``{"sheet": name}``, then ``[number, [cells]]`` for each row with a value.
"""

from __future__ import annotations

import json
import resource
import sys
from datetime import date, datetime, time, timedelta
from typing import Any

LOCKED, UNREADABLE = 3, 4  # exit codes


def text_of(value: Any) -> str:
    """A cell as text: numbers as Excel shows them (15 digits), days in the order of ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value) if isinstance(value, (str, int, timedelta)) else ""


def main() -> int:
    """Print the rows of the workbook that the command line names."""
    path, megabytes, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from python_calamine import CalamineWorkbook, PasswordError

    out = sys.stdout.buffer
    try:
        workbook = CalamineWorkbook.from_path(path)
        for name in workbook.sheet_names:
            worksheet = workbook.get_sheet_by_name(name)
            out.write(json.dumps({"sheet": name}).encode() + b"\n")
            for number, row in enumerate(worksheet.to_python(skip_empty_area=False), 1):
                cells = [text_of(value) for value in row]
                if any(cells):
                    out.write(json.dumps([number, cells]).encode() + b"\n")
        out.flush()
    except PasswordError:
        return LOCKED
    except BaseException:  # a panic of the library is no Exception
        return UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
