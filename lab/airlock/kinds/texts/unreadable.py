"""How many bits of a text are not words (不可读信息量): what a reader passes over, and what may therefore be data.

A word of the vocabulary is free, and so is a number of few digits in a sentence. Everything else is charged with the
bits that it could carry: letters that are no word, digits beyond the second of a number, rows of numbers or of letters,
signs in a row, rare Chinese characters, and the choices of form (a paragraph, an item) that a writer has. What is
repeated is charged with the choice among what was there before. The whole file has one limit, so that a message cannot
be spread over its lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log2

from lab.airlock.kinds.texts.vocabulary import common_characters, in_first_level, is_word

LETTER, DIGIT, ANY, SIGN, RARE = log2(26), log2(10), log2(62), 5.0, 12.0
_SYLLABLES = 3.2  # bits a letter of a pronounceable word, as in encodings by syllables
_PRONOUNCEABLE = re.compile(r"(?:[bcdfghjklmnpqrstvwxyz]{0,3}[aeiouy]{1,2})+[bcdfghjklmnpqrstvwxyz]{0,3}")
_TOKEN = re.compile(r"[A-Za-z0-9]+(?:\.\d+)?|[\u4e00-\u9fff]|[^\sA-Za-z0-9\u4e00-\u9fff]+")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+(?:\.\d+)?")
_ORDINARY = re.compile(r"[^\w\s]{1,4}|(.)\1*|[|:-]+")
_RULER = re.compile(r"(.)\1*|[|:-]+")
_BRACKETS = re.compile(r"[()\[\]{}'\"`*，。：；、（）《》“”]")
DIGITS_FREE, NUMBERS_FREE, SHORT_RUN, WINDOW = 2, 100, 8, 40
PART_AT_LEAST = 2.5  # letters in a part of a name, on average; shorter ones are no words run together
_COMMON_AT_LEAST = 0.3  # share of frequent characters in a window of Chinese; random ones of the first level have .19
EXAMPLES = 8
_SHORT = 3  # letters of a part in which capitals may carry bits too


@dataclass
class UnreadableBits:
    """The bits of a text by what they are, and examples of it that its author sees."""

    by_kind: Counter[str] = field(default_factory=Counter)
    examples: dict[str, None] = field(default_factory=dict)
    _before: dict[str, dict[str, None]] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """All bits of the text that are not words."""
        return float(sum(self.by_kind.values()))

    def charge(self, kind: str, what: str, bits: float) -> None:
        """Charge something once, and its repetitions with the choice among what was charged before."""
        before = self._before.setdefault(kind, {})
        cost = min(bits, log2(1 + len(before))) if what in before else bits
        before[what] = None
        self.by_kind[kind] += cost  # type: ignore[assignment]  # bits have fractions
        if len(self.examples) < EXAMPLES:
            self.examples[what[:20]] = None


def unreadable_bits(text: str, choices: int = 0) -> UnreadableBits:
    """The bits of a text in one spelling that are not words; ``choices`` are those of its form, a bit each."""
    bits = UnreadableBits()
    bits.by_kind["form"] += choices
    short: list[tuple[str, float]] = []
    numbers, before = 0, ""
    for token in _TOKEN.findall(text):
        for part, kind in _parts(token):
            if kind == before == "sign" and not _RULER.fullmatch(part):
                bits.charge("signs", part, len(part) * SIGN)
            before = kind
            cost, is_short = _cost(part, kind)
            numbers += kind == "number"
            if kind == "number" and numbers > NUMBERS_FREE:
                cost = DIGIT * sum(char.isdigit() for char in part)
            if cost:
                bits.charge(kind, part, cost)
            if is_short:
                digits = sum(char.isdigit() for char in part)
                short.append((part, digits * DIGIT if digits else len(part) * LETTER))
            elif kind != "sign":
                _charge_run(bits, short)
    _charge_run(bits, short)
    _charge_chinese(bits, text)
    return bits


def _charge_run(bits: UnreadableBits, short: list[tuple[str, float]]) -> None:
    """Many single letters and numbers without a word between them are data, whatever signs stand between them."""
    if len(short) >= SHORT_RUN:
        bits.by_kind["run"] += sum(cost for _, cost in short)  # type: ignore[assignment]
        bits.examples.setdefault(" ".join(part for part, _ in short)[:20])
    short.clear()


def _parts(token: str) -> Iterator[tuple[str, str]]:
    if not token[0].isascii() or not token[0].isalnum():
        yield token, "character" if "\u4e00" <= token[0] <= "\u9fff" else "sign"
        return
    parts = _PARTS.findall(token)
    numbers = sum(part[0].isdigit() for part in parts)
    if len(parts) > 1 and (numbers > 1 or (len(parts) > 2 and len(token) < PART_AT_LEAST * len(parts))):
        yield token, "letters and digits"
        return
    for part in parts:
        yield part, ("number" if len(parts) == 1 else "number of a name") if part[0].isdigit() else "letters"


def _cost(part: str, kind: str) -> tuple[float, bool]:
    """The bits of one part of a token, and whether it belongs to a run of short ones."""
    match kind:
        case "number":
            digits = len(part.replace(".", "").lstrip("0").rstrip("0" if "." not in part else ""))
            return max(0, digits - DIGITS_FREE) * DIGIT, True
        case "number of a name":
            return len(part) * DIGIT, True
        case "letters":
            if len(part) == 1:
                return 0.0, True
            if is_word(part):
                return 0.0, len(part) == 2
            pronounceable = _PRONOUNCEABLE.fullmatch(part.lower()) is not None
            short = len(part) <= _SHORT
            return len(part) * (ANY if short else _SYLLABLES if pronounceable else LETTER), len(part) == 2
        case "letters and digits":
            return len(part) * ANY, False
        case "character":
            return (0.0 if in_first_level(part) else RARE), False
        case _:
            bare = _BRACKETS.sub("", part)
            odd = sum(not char.isascii() and char not in "，。：；、！？（）《》“”‘’【】—…·" for char in bare)
            return SIGN * (odd if _ORDINARY.fullmatch(bare) or len(bare) < 3 else len(bare)), False


def _charge_chinese(bits: UnreadableBits, text: str) -> None:
    """Chinese characters of which hardly any is frequent are no sentence; they are charged by windows."""
    characters = [char for char in text if "\u4e00" <= char <= "\u9fff"]
    frequent = common_characters()
    for start in range(0, len(characters) - WINDOW // 2 + 1, WINDOW):
        window = characters[start : start + WINDOW]
        if sum(char in frequent for char in window) < _COMMON_AT_LEAST * len(window):
            bits.by_kind["characters"] += RARE * len(window)  # type: ignore[assignment]
            bits.examples.setdefault("".join(window)[:20])
