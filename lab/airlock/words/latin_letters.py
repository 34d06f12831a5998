"""Latin letters with marks (带变音符的拉丁字母), as names of people have them, and their plain letters."""

from __future__ import annotations

import unicodedata

_FOLDED = {
    "ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
    "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ħ": "h", "Ħ": "H",
}  # fmt: skip
_BLOCKS = (("À", "ž"), ("Ơ", "ơ"), ("Ư", "ư"), ("Ș", "ț"), ("Ạ", "ỹ"))  # Latin-1, Extended-A, Romanian, Vietnamese


def is_marked(char: str) -> bool:
    """True for a Latin letter with a mark whose plain letters are known; NFKC leaves it as it is."""
    if char.isascii() or not char.isalpha() or not any(first <= char <= last for first, last in _BLOCKS):
        return False
    return plain_letters(char).isascii() and unicodedata.normalize("NFKC", char) == char


def plain_letters(char: str) -> str:
    """The letters of ASCII that a marked letter is read as; the character itself where there are none."""
    return _FOLDED.get(char) or unicodedata.normalize("NFD", char)[0]


def folded(text: str) -> tuple[str, list[str]]:
    """A text with plain letters in place of marked ones, and the marked ones in order."""
    marked = [char for char in text if is_marked(char)]
    return "".join(plain_letters(char) if is_marked(char) else char for char in text) if marked else text, marked
