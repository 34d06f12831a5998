"""Bytes as plain text (文本解码): UTF-8, one line end, and no character that could look like another or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from credit.messages import Text
from lab.airlock.characters import refused_characters
from lab.airlock.issue import Issue, fail
from lab.airlock.kinds.texts.spelling import plain_characters
from lab.airlock.thresholds import Thresholds

_RAISED = re.compile(r"[0-9][\u00b9\u00b2\u00b3\u2070-\u2089]")  # 10² would become 102 in NFKC
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text in plain characters, and how often something was spelled otherwise, by the id of its message."""

    text: str
    rewritten: Mapping[str, int]


def decode(content: bytes, t: Thresholds) -> PlainText | Issue:
    """The text of a file, or the issue with its encoding, its length or its characters."""
    if len(content) > t["text_bytes_at_most"]:
        return fail(Text.of("airlock.long-text", lines=content.count(b"\n") + 1, size=len(content)),
                    Text.of("airlock.what-purpose-needs"), bytes=len(content))  # fmt: skip
    try:
        given = content.decode("utf-8")
    except UnicodeDecodeError:
        return fail(Text.of("airlock.not-utf8"), Text.of("airlock.not-utf8-fix"))
    return plain(given, t)


def plain(given: str, t: Thresholds) -> PlainText | Issue:
    """A text in plain characters, or the issue that names the characters that may not leave."""
    text = given.removeprefix("\ufeff")
    text = _COLOURS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    raised = _RAISED.search(text)
    spelled = plain_characters(text)
    odd = refused_characters(spelled.replace("\n", "").replace("\t", "")) or (
        [f"U+{ord(raised[0][1]):04X}"] if raised else []
    )
    if odd:
        listed = ", ".join(odd[:10])
        why = Text.of("airlock.text-characters", count=len(odd), characters=listed)
        return fail(why, Text.of("airlock.text-characters-fix"), characters=odd[:10], lines=_lines(spelled, odd))
    lines = spelled.count("\n") + 1
    if lines > t["lines_at_most"] or len(spelled.encode()) > t["text_bytes_at_most"]:
        return fail(Text.of("airlock.long-text", lines=lines, size=len(spelled.encode())),
                    Text.of("airlock.what-purpose-needs"), lines=lines)  # fmt: skip
    pairs = zip(text, spelled, strict=False)
    changed = max(1, sum(one != other for one, other in pairs)) if text != spelled else 0
    rewritten = {"airlock.rewritten-line-ends": given.count("\r"), "airlock.rewritten-characters": changed}
    return PlainText(spelled, {name: count for name, count in rewritten.items() if count})


def _lines(text: str, odd: list[str]) -> list[int]:
    characters = {chr(int(each[2:], 16)) for each in odd}
    return [n for n, line in enumerate(text.split("\n"), start=1) if characters & set(line)][:10]
