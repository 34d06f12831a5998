"""Attackers whose message a reader can see in a text, if he asks about it: nothing that is counted as unseen."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice, product
from pathlib import Path

import lab.airlock.words
from lab.airlock.words.chinese_words import is_chinese_word
from tests.lab.airlock.smuggling import Bits, Smuggling, as_bits, in_groups

TEXT = "the new version ranks small firms better than the old one and its calibration holds in each quarter"
WORDS = TEXT.split()
MARKS = ["", ",", ";", ":"]
FOLDER = Path(lab.airlock.words.__path__[0])
SIGNS = ["+", "/", "<", "=", ">", "~", "%", "&"]


def seen_in_texts() -> Iterator[Smuggling]:
    """Two digits a sentence, marks after words, signs between them, one of two words, words in any order."""
    yield Smuggling("numbers in sentences", "report.md", _numbers, _read_numbers)
    yield Smuggling("marks after words", "report.md", _marked(MARKS, 2), _reader(MARKS, 2))
    yield Smuggling("signs between words", "report.md", _marked([f" {each}" for each in SIGNS], 3), _reader(SIGNS, 3))
    yield Smuggling(
        "one of two words",
        "report.md",
        lambda bits: "".join(f"The model is {('good', 'fine')[bit]} in this quarter. " for bit in bits).encode(),
        lambda left: [int(word == "fine") for word in re.findall("good|fine", left.decode())],
    )

    yield Smuggling("any words", "report.md", _written(english_words, " "), _words_read)
    yield Smuggling("any Chinese words", "report.md", _written(chinese_words, ""), _chinese_read)


@cache
def english_words() -> tuple[str, ...]:
    """1,024 words that the airlock knows."""
    lines = [line for line in (FOLDER / "known_words.txt").read_text().splitlines() if not line.startswith("#")]
    words = sorted({word for line in lines for word in line.split() if 4 < len(word) < 9})
    return tuple(random.Random(1).sample(words, 1024))


@cache
def chinese_words() -> tuple[str, ...]:
    """1,024 Chinese words of two characters."""
    characters = [bytes([0xB0 + n // 94, 0xA1 + n % 94]).decode("gb2312") for n in range(0, 3700, 9)]
    pairs = ("".join(pair) for pair in product(characters, characters))
    return tuple(islice(filter(is_chinese_word, pairs), 1024))


def _written(words: Callable[[], tuple[str, ...]], between: str) -> Callable[[Bits], bytes]:
    return lambda bits: (between.join(words()[number] for number in in_groups(bits, 10)) + " 。").encode()


def _words_read(left: bytes) -> Bits:
    return as_bits([english_words().index(word) for word in re.findall("[a-z]+", left.decode())], 10)


def _chinese_read(left: bytes) -> Bits:
    words = re.findall("[\u4e00-\u9fff]{2}", left.decode())
    return as_bits([chinese_words().index(word) for word in words], 10)


def _numbers(bits: Bits) -> bytes:
    return "".join(f"The share is {number + 10} percent in this group. " for number in in_groups(bits, 6)).encode()


def _read_numbers(left: bytes) -> Bits:
    return as_bits([int(number) - 10 for number in re.findall(r"is (\d\d) percent", left.decode())], 6)


def _marked(marks: list[str], width: int) -> Callable[[Bits], bytes]:
    def hide(bits: Bits) -> bytes:
        words = [f"{WORDS[n % len(WORDS)]}{marks[mark]}" for n, mark in enumerate(in_groups(bits, width))]
        return (" ".join(words) + " end.").encode()

    return hide


def _reader(marks: list[str], width: int) -> Callable[[bytes], Bits]:
    def find(left: bytes) -> Bits:
        gaps = re.split(r"[a-z]+", left.decode())[1:]
        return as_bits([marks.index(gap.strip()) if gap.strip() in marks else 0 for gap in gaps], width)

    return find
