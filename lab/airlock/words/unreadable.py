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

from lab.airlock.words.adaptive_code import AdaptiveCode
from lab.airlock.words.chinese_words import senseless
from lab.airlock.words.latin_letters import folded
from lab.airlock.words.vocabulary import in_first_level, is_spelled, is_word

LETTER, DIGIT, ANY, SIGN, RARE, ACCENT, SPAN = log2(26), log2(10), log2(62), 5.0, 12.0, 5.0, 4.0
_SYLLABLES = 3.2  # bits a letter of a pronounceable word, as in encodings by syllables
_PRONOUNCEABLE = re.compile(r"(?:[bcdfghjklmnpqrstvwxyz]{0,3}[aeiouy]{1,2})+[bcdfghjklmnpqrstvwxyz]{0,3}")
_TOKEN = re.compile(r"[A-Za-z0-9]+(?:\.\d+)?|[\u4e00-\u9fff]|[^\sA-Za-z0-9\u4e00-\u9fff]+")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+(?:\.\d+)?")
_ORDINARY = re.compile(r"[^\w\s]{1,4}|(.)\1*|[|:-]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_IDLE_ZEROS = re.compile(r"0*(?=\d)")  # one, as of a month, is free
_READABLE = re.compile(r"\w")
_YEAR = re.compile(r"(?:199\d|20[012]\d)(?:Q[1-4]|H[12])?")
_WINDOW = re.compile(r"(?:[1-9]|1[0258]|24|30|36|48|60|72|90|120|180|365)[mdyqwh]")  # of time, as in “fines_12m”
_KNOWN_NUMBERS = {*(2**n for n in range(7, 13)), 365, 366, *range(401, 430), 503, 504}
_WORD = re.compile(r"(?<=[A-Za-z,;] )(?:[A-Za-z][a-z]+|[A-Z]{2,})(?![A-Za-z])")  # within a sentence
_RULER = re.compile(r"(.)\1{2,}|[|:-]{2,}")
_BRACKETS = re.compile(r"[()\[\]{}'\"`*，。：；、（）《》“”]")
DIGITS_FREE, NUMBERS_FREE, SHORT_RUN = 2, 100, 8
PART_AT_LEAST = 2.5  # letters in a part of a name, on average; shorter ones are no words run together
EXAMPLES = 8
_QUOTED = 3  # brackets and quotes between two words: “`) (`”
_CAPITALS_FREE = 56.0  # bits: an ordinary text has a few changes, as of a name that is also a word
_NAME = re.compile(r"[A-Z](?=.{3})[a-z]*[aeiouy][a-z]*")  # of a person or a place, in one part
_SHORT = 3  # letters of a part in which capitals may carry bits too


_PASSED_OVER = ("form", "capitals", "marks", "brackets", "characters")  # what a reader does not stop at
_NAMED = (
    "number",
    "numbers in a row",
    "names",
    "marked letters",
)  # what ordinary results have many of, and a reader checks


@dataclass
class UnreadableBits:
    """The bits of a text by what they are, and examples of it that its author sees."""

    by_kind: Counter[str] = field(default_factory=Counter)
    examples: dict[str, None] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    _before: dict[str, dict[str, None]] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """All bits of the text that are not words."""
        return float(sum(self.by_kind.values()))

    @property
    def passed_over(self) -> float:
        """The bits of what a reader does not stop at, as at letters that are no word: choices of form."""
        return float(sum(self.by_kind[kind] for kind in _PASSED_OVER))

    @property
    def numbers_and_names(self) -> float:
        """The bits of digits and of names of people and places."""
        return float(sum(self.by_kind[kind] for kind in _NAMED))

    def charge(self, kind: str, what: str, bits: float) -> None:
        """Charge something once, and its repetitions with the choice among what was charged before."""
        before = self._before.setdefault(kind, {})
        cost = min(bits, log2(1 + len(before))) if what in before else bits
        before[what] = None
        self.by_kind[kind] += cost  # type: ignore[assignment]  # bits have fractions
        if len(self.examples) < EXAMPLES:
            self.examples[what[:20]] = None


def unreadable_bits(text: str, choices: float = 0) -> UnreadableBits:
    """The bits of a text in one spelling that are not words; ``choices`` are those of its form."""
    bits = UnreadableBits()
    bits.by_kind["form"] += choices  # type: ignore[assignment]  # bits have fractions
    short: list[tuple[str, float]] = []
    numbers, word = 0, ""
    spelled: dict[str, str] = {}
    for given in text.split("\n"):
        line, marked = folded(given)
        _charge_marks(bits, given if marked or spelled else "", spelled)
        before = "" if _READABLE.search(line) else "sign"  # a line of signs alone goes on with that before it
        for part, kind in (each for token in _TOKEN.findall(line) for each in _parts(token)):
            bare = _bare(part) if kind == before == "sign" else ""
            if bare and not _RULER.fullmatch(bare):
                bits.charge("signs", part, len(bare) * SIGN)
            before = kind
            numbers += kind == "number"
            cost, is_short = _cost(part, kind)
            if (
                kind == "window" and f"{word} {part}" not in bits.names
            ):  # a name that stood before is a word like others
                bits.names.add(f"{word} {part}")
                cost = SPAN
            word = part if kind == "letters" else word
            if kind == "number" and numbers > NUMBERS_FREE:
                cost = DIGIT * sum(char.isdigit() for char in part)
            if cost:
                bits.charge("names" if kind == "letters" and _NAME.fullmatch(part) else kind, part, cost)
            if is_short:
                digits = sum(char.isdigit() for char in part)
                short.append((part, digits * DIGIT if digits else len(part) * ANY))
            elif kind != "sign":
                _charge_run(bits, short)
    _charge_run(bits, short)
    _charge_chinese(bits, text)
    _charge_capitals(bits, text)
    return bits


def _charge_run(bits: UnreadableBits, short: list[tuple[str, float]]) -> None:
    """Many single letters and numbers without a word between them are data, whatever signs stand between them."""
    if len(short) >= SHORT_RUN:
        for part, cost in short:
            bits.by_kind["numbers in a row" if part[0].isdigit() else "run"] += cost  # type: ignore[assignment]
        bits.examples.setdefault(" ".join(part for part, _ in short)[:20])
    short.clear()


def _parts(token: str) -> Iterator[tuple[str, str]]:
    if not token[0].isascii() or not token[0].isalnum():
        yield token, "character" if "\u4e00" <= token[0] <= "\u9fff" else "sign"
        return
    if is_spelled(token) or _WINDOW.fullmatch(token) or _YEAR.fullmatch(token):
        yield token, "spelled" if is_spelled(token) else "number" if _YEAR.fullmatch(token) else "window"
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
        case "spelled":
            return 0.0, False
        case "window":
            return 0.0, True
        case "number" if _YEAR.fullmatch(part) or (
            part.isdigit() and int(part) in _KNOWN_NUMBERS
        ):  # as few as two digits give
            return 0.0, True
        case "number":
            digits = len(part.replace(".", "").lstrip("0").rstrip("0" if "." not in part else ""))
            idle = len(_IDLE_ZEROS.match(part)[0])  # type: ignore[index]  # it matches nothing too
            return (max(0, digits - DIGITS_FREE) + max(0, idle - 1)) * DIGIT, True
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
            bare = _BRACKETS.sub("", part).replace("...", ".")
            odd = sum(not char.isascii() and char not in "，。：；、！？（）《》“”‘’【】—…·¥€£" for char in bare)
            return SIGN * (odd if _ORDINARY.fullmatch(bare) or len(bare) < 3 else len(bare)), False


def _bare(signs: str) -> str:
    """Signs without brackets and quotes around them, and without one mark after these; all of many brackets."""
    bare = _BRACKETS.sub("", signs)
    if len(bare) < len(signs):
        bare = bare.removesuffix(signs[-1]) if signs[-1] in ".,;:" else bare
        return bare or (signs if len(signs) > _QUOTED else "")
    return bare


def _charge_marks(bits: UnreadableBits, line: str, spelled: dict[str, str]) -> None:
    """A mark on a letter is charged where its word is new, and where it differs from how the word stood before."""
    for word in _LETTERS.findall(line):
        plain, marked = folded(word)
        before = spelled.get(plain.lower(), word if not marked else "")
        if word.lower() != before.lower():
            bits.by_kind["marked letters"] += ACCENT * max(1, len(marked))  # type: ignore[assignment]
            bits.examples.setdefault(word[:20])
        if marked or plain.lower() in spelled:
            spelled[plain.lower()] = word


def _charge_capitals(bits: UnreadableBits, text: str) -> None:
    """A word in capitals, or with one within sentences, at some places and not at others carries a bit at each."""
    code, last = AdaptiveCode(), dict[str, int]()
    for word in _WORD.findall(text):
        capitals = sum(char.isupper() for char in word[:2])
        if (before := last.get(word.lower())) is not None:
            code.add("", "same" if capitals == before else f"changed to {capitals}")
        last[word.lower()] = capitals
    bits.by_kind["capitals"] += max(0.0, code.bits - _CAPITALS_FREE)  # type: ignore[assignment]


def _charge_chinese(bits: UnreadableBits, text: str) -> None:
    """Chinese characters that make up no words are no sentence."""
    for window, cost in senseless(text):
        bits.by_kind["characters"] += cost  # type: ignore[assignment]
        bits.examples.setdefault(window[:20])
