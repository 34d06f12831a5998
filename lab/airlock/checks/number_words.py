"""Whole numbers that are spelled out (文字数字): “eight hundred and forty-six”, 八百四十六."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES = {word: n for n, word in enumerate(_SMALL.split())}
DIGIT_WORDS = {word: value for word, value in _VALUES.items() if value < 10}
_VALUES |= {word: 10 * n for n, word in enumerate(_TENS.split(), start=2)}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_ENGLISH = re.compile(
    rf"(?i)\b(?:{'|'.join((*_VALUES, *_LARGE))})(?:(?:[\s-]+(?:and\s+)?)(?:{'|'.join((*_VALUES, *_LARGE))}))+\b"
)
_DIGITS = {char: n for n, char in enumerate("零一二三四五六七八九")}
_DIGITS |= {char: n for n, char in enumerate("零壹贰叁肆伍陆柒捌玖")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_CHINESE = re.compile(rf"[{''.join((*_DIGITS, *_UNITS))}万亿]{{2,}}")


def numbers_in_words(text: str) -> Iterator[int]:
    """Each number that several words or Chinese numerals write, in the order of either."""
    for match in _ENGLISH.finditer(text):
        yield _of_english(re.findall(r"[a-z]+", match[0].lower()))
    for match in _CHINESE.finditer(text):
        yield _of_chinese(match[0])


def _of_english(words: list[str]) -> int:
    total, part = 0, 0
    for word in words:
        if word == "hundred":
            part = (part or 1) * 100
        elif word in _LARGE:
            total, part = total + (part or 1) * _LARGE[word], 0
        else:
            part += _VALUES.get(word, 0)  # "and" adds nothing
    return total + part


def _of_chinese(numerals: str) -> int:
    if not set(numerals) & {*_UNITS, "万", "亿"}:  # digit by digit, as in a year
        return int("".join(str(_DIGITS[char]) for char in numerals))
    total, part, digit = 0, 0, 0
    for char in numerals:
        if char == "万":  # of what stands after 亿: 一亿二千万
            total, part, digit = total + (part + digit or 1) * 10_000, 0, 0
        elif char == "亿":
            total, part, digit = (total + part + digit or 1) * 100_000_000, 0, 0
        elif char in _UNITS:
            part, digit = part + (digit or 1) * _UNITS[char], 0
        else:
            digit = _DIGITS[char]
    return total + part + digit
