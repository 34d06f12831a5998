"""The characters that may leave (可出域字符): an allow-list, and one spelling for what readers cannot tell apart."""

from __future__ import annotations

import re
import unicodedata

from lab.airlock.words.latin_letters import is_marked

_SIGNS = "¥€£§〇、。《》〈〉「」『』【】〔〕“”‘’–—·×÷±≤≥≠≈∑√∞°‰→←↑↓"
_GREEK = "αβγδεζηθλμπρσςτφχψωΓΔΘΛΠΣΦΨΩ"
_BLANKS = re.compile(r"[ \t\r\n]+")


def one_spelling(text: str) -> str:
    """A text in Unicode's form NFKC, with single blanks between words, none around them: ``１２`` is ``12``."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text)).strip(" ")


def is_allowed(char: str) -> bool:
    """True for ASCII, Chinese characters of GB/T 2312, the signs and Greek letters of formulas, and the
    letters of European and Vietnamese names; no control character.

    A character outside this list can look like another one, or like nothing, and so carry what no reader sees.
    """
    if char.isascii():
        return char.isprintable()
    return (
        char in _SIGNS
        or char in _GREEK
        or is_marked(char)
        or ("\u4e00" <= char <= "\u9fff" and gb2312_bytes(char) != b"")
    )


def refused_characters(text: str) -> list[str]:
    """The characters of a text in one spelling that may not leave, as ``U+200B``, each once and in order."""
    return [f"U+{ord(char):04X}" for char in sorted({char for char in text if not is_allowed(char)})]


def gb2312_bytes(char: str) -> bytes:
    """The code of a character in GB/T 2312; empty for one that is not in it."""
    try:
        return char.encode("gb2312")
    except UnicodeEncodeError:
        return b""
