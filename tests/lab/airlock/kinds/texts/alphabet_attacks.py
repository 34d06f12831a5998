"""Attackers by alphabet: symbols that stand for bits, in groups and lines of several lengths, and invented words."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator

from tests.lab.airlock.kinds.texts.spelling_attacks import SENTENCE
from tests.lab.airlock.smuggling import Bits, Smuggling, as_bits, in_groups

CONSONANTS, VOWELS = "bdfghjklmnprstvz", "aiou"


def alphabets() -> Iterator[Smuggling]:
    """Symbols that stand for bits, in groups and lines of several lengths."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    base64 = letters.upper() + letters + "0123456789+/"
    anywhere = [chr(0x4E00 + 5 * n) for n in range(1024)]
    ordinary = [bytes([0xB0 + n // 94, 0xA1 + n % 94]).decode("gb2312") for n in range(2048)]
    rare = [bytes([0xD8 + n // 94, 0xA1 + n % 94]).decode("gb2312") for n in range(1024)]
    greek = "αβγδεζηθλμπρστφχ"
    symbols = {
        "base64": (base64, 6),
        "base32": (letters + "234567", 5),
        "base16": ("0123456789abcdef", 4),
        "letters": (letters[:16], 4),
        "digits": ("01234567", 3),
        "binary": ("01", 1),
        "signs": ("!#$%&*+,-./:;<=>?"[:16], 4),
        "Greek": (greek, 4),
        "any Chinese": (anywhere, 10),
        "ordinary Chinese": (ordinary, 11),
        "rare Chinese": (rare, 10),
    }
    for (name, (alphabet, width)), group, line in itertools.product(symbols.items(), (1, 2, 5, 12), (1, 6)):
        yield _alphabet(f"{name} in groups of {group}, {line} a line", list(alphabet), width, group, line)
    for line in (1, 6, 1000):
        yield Smuggling(f"syllables, {line} a line", "report.md", _syllables(line), _read_syllables)
    yield Smuggling(
        "low digits",
        "report.md",
        _low_digits,
        lambda left: as_bits([int(each) for each in re.findall(r"0\.74(\d)\d*", left.decode())], 3),
    )
    yield Smuggling(
        "letters and digits",
        "report.md",
        _names,
        lambda left: as_bits([int(each) - 10 for each in re.findall(r"\bv(\d\d)\b", left.decode())], 6),
    )
    yield Smuggling(
        "links",
        "report.md",
        lambda bits: f"See [it](http://example.org/{in_hex(bits)}) for more.\n".encode(),
        _from_hex,
    )
    yield Smuggling("comments", "report.md", lambda bits: f"Text.\n\n<!-- {in_hex(bits)} -->\n".encode(), _from_hex)
    yield Smuggling(
        "constants in code",
        "code.py",
        _constants,
        lambda left: as_bits([int(each) - 100 for each in re.findall(r"(\d{3})\d*[,\]]", left.decode())], 9),
    )
    yield Smuggling("strings in code", "code.py", lambda bits: f"x = '{in_hex(bits)}'\n".encode(), _from_hex)
    yield Smuggling(
        "bytes in code", "code.py", lambda bits: f"x = {bytes(in_groups(bits, 8))!r}\n".encode(), _from_bytes
    )
    yield Smuggling(
        "names in code",
        "code.py",
        lambda bits: "".join(f"{word_of(n)} = 1\n" for n in in_groups(bits, 16)).encode(),
        _read_syllables,
    )


def _alphabet(name: str, symbols: list[str], width: int, group: int, line: int) -> Smuggling:
    def hide(bits: Bits) -> bytes:
        chars = [symbols[n] for n in in_groups(bits, width)]
        words = ["".join(chars[at : at + group]) for at in range(0, len(chars), group)]
        return (
            SENTENCE + "\n\n" + "\n".join(" ".join(words[at : at + line]) for at in range(0, len(words), line))
        ).encode()

    def find(left: bytes) -> Bits:
        text = left.decode().split("\n", 1)[-1]
        return as_bits([symbols.index(char) for char in text if char in symbols], width)

    return Smuggling(name, "report.md", hide, find)


def word_of(number: int) -> str:
    """Sixteen bits as a word of five letters that can be pronounced."""
    places = (number >> 12 & 15, number >> 10 & 3, number >> 6 & 15, number >> 4 & 3, number & 15)
    return "".join((CONSONANTS if n % 2 == 0 else VOWELS)[place] for n, place in enumerate(places))


def syllables_of(word: str) -> int:
    """The number of a word of :func:`word_of`."""
    number = 0
    for char, (of, width) in zip(word, [(CONSONANTS, 4), (VOWELS, 2)] * 2 + [(CONSONANTS, 4)], strict=True):
        number = number << width | of.index(char)
    return number


def _syllables(line: int) -> Callable[[Bits], bytes]:
    def hide(bits: Bits) -> bytes:
        words = [word_of(number) for number in in_groups(bits, 16)]
        return (
            SENTENCE + "\n\n" + "\n".join(" ".join(words[at : at + line]) for at in range(0, len(words), line))
        ).encode()

    return hide


def _read_syllables(left: bytes) -> Bits:
    bits: list[int] = []
    for c1, v1, c2, v2, c3 in re.findall(
        rf"\b([{CONSONANTS}])([{VOWELS}])([{CONSONANTS}])([{VOWELS}])([{CONSONANTS}])\b", left.decode()
    ):
        for char, of, width in (
            (c1, CONSONANTS, 4),
            (v1, VOWELS, 2),
            (c2, CONSONANTS, 4),
            (v2, VOWELS, 2),
            (c3, CONSONANTS, 4),
        ):
            bits += as_bits([of.index(char)], width)
    return bits


def _low_digits(bits: Bits) -> bytes:
    return "".join(
        f"The AUC of the new version is 0.74{number} in the quarter. " for number in in_groups(bits, 3)
    ).encode()


def _names(bits: Bits) -> bytes:
    return "".join(f"The model v{number + 10} ranks better. " for number in in_groups(bits, 6)).encode()


def _constants(bits: Bits) -> bytes:
    return f"x = [{', '.join(str(number + 100) for number in in_groups(bits, 9))}]\n".encode()


def in_hex(bits: Bits) -> str:
    """Bits as hexadecimal digits."""
    return "".join(f"{number:x}" for number in in_groups(bits, 4))


def _from_hex(left: bytes) -> Bits:
    return as_bits([int(char, 16) for char in max(re.findall(r"[0-9a-f]+", left.decode()), key=len)], 4)


def _from_bytes(left: bytes) -> Bits:
    written = left.decode().partition("= ")[2]
    return as_bits(list(ast.literal_eval(written)), 8)
