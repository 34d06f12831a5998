"""The words of code (代码中的文字): names, numbers, texts and comments, without the signs that its grammar asks for.

Where a sign of grammar stands is decided by what the code does. Signs before one value (``--+x``) do nothing, and stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PART = re.compile(
    r"#[^\n]*|--[^\n]*|'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|(?P<idle>[-+~](?:\s*[-+~])+)"
    r"|\d+\.\d+|\w+|(?P<grammar>\n|.)",
    re.S,
)


def code_words(lines: Iterable[str]) -> str:
    """The parts of code that a writer chooses as words."""
    text = "\n".join(lines)
    parts = (
        match[0] if match.lastgroup != "grammar" else " " if match[0] == " " else "\n" for match in _PART.finditer(text)
    )
    return re.sub(r" *\n[ \n]*", "\n", "".join(parts)).strip()
