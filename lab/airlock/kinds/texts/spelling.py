"""One spelling of a line of prose (行文规范): single blanks where they belong, and one sign for what looks alike."""

from __future__ import annotations

import re
import unicodedata

from lab.airlock.characters import one_spelling

_HAN = "\u4e00-\u9fff"
_WIDE = "，。、；：！？（）《》〈〉「」『』【】〔〕—…·"
_SAME = str.maketrans("–−‐‑‒―‘’“”„`´\u00a0\u3000", "------''\"\"\"`'  ")
_FULL = str.maketrans(",;:!?", "，；：！？")
_RULES = (
    (re.compile(rf"(?<=[{_HAN}])([,;:!?])(?![\w/])|(?<=[{_HAN}])([,;:!?])(?=[{_HAN}\w ])"), None),
    (re.compile(rf" ?([{_WIDE}]) ?"), r"\1"),
    (re.compile(rf"(?<=[{_HAN}]) (?=[{_HAN}])"), ""),
    (re.compile(rf"(?<=[{_HAN}])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[{_HAN}])"), " "),
    (re.compile(r" +([,;!?)\]}])"), r"\1"),
    (re.compile(r"([(\[{]) +"), r"\1"),
    (re.compile(r"([,;])(?=[A-Za-z(\[])"), r"\1 "),
    (re.compile(r" {2,}"), " "),
)
_TIMES = 4


def plain_characters(text: str) -> str:
    """A text in NFKC with one sign for dashes, one for each quote; line ends and blanks stay as they are."""
    return unicodedata.normalize("NFKC", text.translate(_SAME)).translate(_SAME)


def prose_line(text: str) -> str:
    """A line in one spelling: blanks follow from the characters beside them, and so does the width of a sign."""
    line = one_spelling(plain_characters(text))
    for _ in range(_TIMES):
        before = line
        for pattern, by in _RULES:
            line = pattern.sub(by, line) if by is not None else pattern.sub(_widened, line)
        line = line.strip(" ")
        if line == before:
            break
    return line


def _widened(match: re.Match[str]) -> str:
    return match[0].translate(_FULL)
