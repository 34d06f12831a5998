"""The code of a cell (单元格代码): Python as IPython takes it, or the SQL of a feature under the lab's own magic.

A line that IPython alone reads (``%time``, ``!pip``, ``lab.sql?``) leaves as a comment.
"""

from __future__ import annotations

import re

from lab.airlock.issue import Issue
from lab.airlock.kinds.texts.python_code import python_lines
from lab.airlock.kinds.texts.sql_code import sql_lines

_FEATURES = re.compile(r"%%features(?P<words>(?: +(?:--as-of +\d{4}-\d\d-\d\d|[A-Za-z_]\w*))*) *")
_HELP = re.compile(r"(?m)^ *(\?{1,2}[A-Za-z_][\w.]*|[A-Za-z_][\w.]*\?{1,2}) *$")


def cell_lines(source: str) -> tuple[str, ...] | Issue:
    """The lines of a cell, given in plain characters, in the one form in which it leaves; else the issue."""
    first, _, body = source.strip("\n").partition("\n")
    if match := _FEATURES.fullmatch(first):
        lines = sql_lines(body)
        return lines if isinstance(lines, Issue) else (" ".join(["%%features", *match["words"].split()]), *lines)
    return python_lines(_HELP.sub(r"# \1", source))
