"""Lines of a terminal, of settings and of other plain text in a fence (围栏文本): charged as words, like prose.

Nothing parses them, so they have one form of blanks, and their indentation is a level, charged as a choice of form.
"""

from __future__ import annotations

import re

from lab.airlock.kinds.texts.spelling import plain_characters

LANGUAGES = {
    "sh": ("sh", "bash", "shell", "zsh", "console"),
    "text": ("", "text", "txt", "plain", "output", "log", "json", "yaml", "yml", "toml", "ini", "csv", "r", "diff"),
}  # the language that is written, and those that an author may name
DEEPEST = 4  # levels of indentation


def plain_lines(text: str) -> tuple[str, ...]:
    """The lines of plain text with single blanks, indented by levels of four; empty lines are left out."""
    written: list[str] = []
    widths: list[int] = []
    for line in plain_characters(text).split("\n"):
        if not (bare := re.sub(r"[ \t]+", " ", line).strip(" ")):
            continue
        width = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip(" "))
        while widths and widths[-1] >= width:
            widths.pop()
        written.append("    " * min(len(widths), DEEPEST) + bare)
        widths.append(width)
    return tuple(written)


def level_of(line: str) -> int:
    """The level of a line as it is written."""
    return (len(line) - len(line.lstrip(" "))) // 4
