"""Words that stand in another form than before (同词异形), and where a writer breaks off.

``default rate``, ``default-rate`` and ``default_rate`` read alike. Who keeps to one form costs nothing, who changes at
every place is charged in full by a code that learns. Quotes around a word, a capital at a beginning, and where a
paragraph or a cell ends are choices too, but ordinary texts make them as unevenly as a message would: reviewers
read how much they could carry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lab.airlock.words.adaptive_code import AdaptiveCode

FREE, FREE_PER_CHARACTER = 40.0, 0.01  # bits: a name of code joins words otherwise than a sentence does
_LETTERS = re.compile(r"[A-Za-z]+")
_JOINT = re.compile(r"[ _-]?")
_INSIDE = re.compile(r"[A-Za-z,;] ")  # before a word within a sentence, whose capitals are charged as such
_OPEN, _CLOSE = "([{'\"`*_~", ")]}'\"`*_~"
_SENTENCE_END = re.compile(r"[.!?;] |[。！？；]")
_LONG = 8  # letters in what may be two words run together


def joint_bits(text: str) -> float:
    """The bits of words that are joined now so, now otherwise, beyond those of an ordinary text."""
    code = AdaptiveCode()
    last: dict[str, str] = {}

    def add(words: str, joint: str) -> None:
        if (before := last.get(words)) is not None:
            code.add(before, joint)
        last[words] = joint

    for line in text.split("\n"):
        words_of_line = list(_LETTERS.finditer(line))
        for word, following in zip(words_of_line, [*words_of_line[1:], None], strict=False):
            if word.end() - word.start() >= _LONG:
                add(word[0].lower(), "run together")
            between = line[word.end() : following.start()] if following else "."
            if following and _JOINT.fullmatch(between):
                add((word[0] + following[0]).lower(), between)
    return max(0.0, code.bits - FREE - FREE_PER_CHARACTER * len(text))


def passed_over_bits(parts: Iterable[tuple[str, tuple[str, ...]]]) -> float:
    """The bits of signs around words, capitals at beginnings, and ends of paragraphs and cells.

    ``parts`` are the kind of each (code or another) and its lines.
    """
    code = AdaptiveCode()
    around: dict[str, str] = {}
    for kind, lines in parts:
        for n, line in enumerate(lines):
            if kind == "code":
                code.add("cell", "ends" if n == len(lines) - 1 else "goes on")
                continue
            for _ in _SENTENCE_END.findall(line.rstrip()):
                code.add("sentence", "goes on")
            code.add("sentence", "ends")
            _add_words(code, line, around)
    return code.bits


def _add_words(code: AdaptiveCode, line: str, around: dict[str, str]) -> None:
    for match in _LETTERS.finditer(line):
        (start, end), word = match.span(), match[0].lower()
        opening = line[start - 1] if start and line[start - 1] in _OPEN else ""
        closing = line[end] if opening and end < len(line) and line[end] in _CLOSE else ""
        form = opening + closing if closing else ""
        code.add(f"around {around.get(word, '')}", form)
        around[word] = form
        before = line[max(0, start - 2) : start]
        if len(word) > 1 and not _INSIDE.fullmatch(before):
            code.add(f"capital after {before.lstrip('0123456789') or 'line'}", _capitals(match[0]))


def _capitals(word: str) -> str:
    return "capitals" if word.isupper() else "capital" if word[0].isupper() else ""
