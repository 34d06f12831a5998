"""Identifiers in another spelling (变形的标识符): pseudonyms in groups or letters, numbers in numerals or words.

A pseudonym is 32 hexadecimal digits, at random: two letters among the digits in three on average. So a run of groups
that holds as many digits, and enough different letters, is one; a table of grades and counts is none. Sixteen other
letters in place of the digits are 32 letters in groups of one length that are no words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from lab.airlock.checks.number_words import DIGIT_WORDS, numbers_in_words
from lab.airlock.words.vocabulary import is_word
from privacy.disclosure import identifiers

LENGTH = 32  # hexadecimal digits of a pseudonym
LETTERS_SHARE, KINDS = 0.125, 3  # of letters among them: at least such a part, of so many kinds (all but 1 in 2,000)
UNKNOWN_SHARE = 0.5  # of the groups of letters: so many at least are no words

_PARTS = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SEPARATOR = r"[ \t\n\-–—·._/:,;|'\"]{1,3}"
_WHOLE = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{32}(?![0-9a-fA-F])")
_GROUPED = re.compile(rf"(?<![0-9A-Za-z#])[0-9a-fA-F]{{1,31}}(?:{_SEPARATOR}[0-9a-fA-F]{{1,31}})+(?![0-9A-Za-z])")
_IN_LETTERS = re.compile(rf"(?<![0-9A-Za-z])[A-Za-z]{{1,32}}(?:{_SEPARATOR}[A-Za-z]{{1,32}})*(?![0-9A-Za-z])")
_NUMERALS = dict(zip("〇零一二三四五六七八九幺两", "0012345678912", strict=True))
_NUMERALS |= dict(zip("壹贰叁肆伍陆柒捌玖", "123456789", strict=True))
_NUMERAL_RUN = re.compile(rf"[{''.join(_NUMERALS)}0-9](?:[ \-–—·._/]{{0,3}}[{''.join(_NUMERALS)}0-9X])+")
_ENGLISH = {"oh": "0"} | {word: str(value) for word, value in DIGIT_WORDS.items()}
_ENGLISH_RUN = re.compile(rf"(?i)\b(?:{'|'.join(_ENGLISH)})(?:[\s,-]+(?:{'|'.join(_ENGLISH)}))+\b")


def pseudonyms(text: str) -> Iterator[int]:
    """The place in the text of each pseudonym, in one piece, in groups or in letters."""
    yield from (match.start() for match in _WHOLE.finditer(text))
    yield from (match.start() for match in _GROUPED.finditer(text) if _is_hexadecimal(match[0]))
    for match in _IN_LETTERS.finditer(text):
        yield from (match.start() for run in _runs_of_one_length(match[0]) if _is_no_text(run))


def hidden_identifiers(texts: Iterable[str]) -> dict[str, int]:
    """The number of identifiers of each kind, as :func:`privacy.disclosure.identifiers`, in any numerals."""
    given = list(texts)
    counts = Counter(identifiers(given))
    for kind, number in identifiers({each for text in given for each in _in_digits(text)}).items():
        counts[kind] = max(counts[kind], number)
    return dict(counts)


def _is_hexadecimal(run: str) -> bool:
    groups = re.findall("[0-9a-f]+", run.lower())
    digits = "".join(groups)
    single = max(map(len, groups)) == 1  # else a letter alone is a grade, as in “A 12000”
    letters = [char for group in groups if single or len(group) > 1 for char in group if char.isalpha()]
    random = len(set(letters)) >= KINDS and LETTERS_SHARE * len(digits) <= len(letters) < len(digits)
    return len(digits) >= LENGTH and random


def _runs_of_one_length(run: str) -> Iterator[list[str]]:
    """Neighbouring groups of one length that hold 32 letters or a multiple of it."""
    groups: list[str] = []
    for group in [*re.findall("[A-Za-z]+", run), ""]:
        if groups and len(group) != len(groups[0]):
            if len(groups) * len(groups[0]) >= LENGTH and LENGTH % len(groups[0]) == 0:
                yield groups
            groups = []
        groups.append(group)


def _is_no_text(groups: list[str]) -> bool:
    """True for groups that are no words, out of no more letters than a digit has values."""
    unknown = sum(not all(len(part) > 2 and is_word(part) for part in _PARTS.findall(group)) for group in groups)
    return unknown >= UNKNOWN_SHARE * len(groups) and 4 < len(set("".join(groups).lower())) <= 16


def _in_digits(text: str) -> Iterator[str]:
    """The runs of Chinese numerals and of number words in a text, in digits."""
    for match in _NUMERAL_RUN.finditer(text):
        yield "".join(_NUMERALS.get(char, char) for char in match[0])
    for match in _ENGLISH_RUN.finditer(text):
        yield "".join(_ENGLISH[word] for word in re.findall("[a-z]+", match[0].lower()))
    yield from (str(number) for number in numbers_in_words(text))  # 一百三十八亿…, a number as a whole
