"""Attackers by spelling: two forms of one thing at each of its places in ordinary prose, code and queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tests.lab.airlock.smuggling import Bits, Smuggling

SENTENCE = "The new version ranks small firms better than the old one, and its calibration holds in each quarter. "
CHINESE_SENTENCE = "新版本对小微企业的排序能力更好，校准在各个季度都保持稳定。"
Choice = tuple[str, str, str]  # a name, and what stands for 0 and for 1

BLANKS: tuple[Choice, ...] = (
    ("double blanks", " ", "  "),
    ("tabs", " ", "\t"),
    ("no-break blanks", " ", "\u00a0"),
    ("wide blanks", " ", "\u3000"),
    ("thin blanks", " ", "\u2009"),
    ("zero width", " ", " \u200b"),
    ("joiners", " ", " \u2060"),
    ("wrapping", " ", "\n"),
    ("wrapping with returns", " ", "\r\n"),
    ("trailing blanks", " ", " \n"),
    ("soft hyphens", " ", "\u00ad "),
    ("private characters", " ", " \ue000"),
    ("tags", " ", "\U000e0041 "),
)
LETTERS: tuple[Choice, ...] = (
    ("Cyrillic", "e", "\u0435"),
    ("Greek", "o", "\u03bf"),
    ("full width", "e", "\uff45"),
    ("combining", "e", "e\u0301"),
    ("accents", "e", "\u00e9"),
    ("mathematical", "e", "\U0001d41e"),
    ("selectors", "e", "e\ufe0f"),
    ("small caps", "s", "\ua731"),
    ("dotless", "i", "\u0131"),
    ("grapheme joiners", "n", "n\u034f"),
    ("capitals of words", " version", " Version"),
)
SIGNS: tuple[Choice, ...] = (
    ("dashes", "-", "\u2013"),
    ("hyphens", "-", "\u2010"),
    ("minus", "-", "\u2212"),
    ("quotes", "'", "\u2019"),
    ("double quotes", '"', "\u201c"),
    ("wide commas", ",", "\uff0c"),
)


def spellings() -> Iterator[Smuggling]:
    """Two spellings of one thing, at each of its places in ordinary prose."""
    for name, zero, one in (*BLANKS, *LETTERS):
        yield Smuggling(name, "report.md", _chooser(SENTENCE, zero, one), _reader(zero, one))
    for name, zero, one in SIGNS:
        text = f"It is a {zero} sign between words that are read. "
        yield Smuggling(name, "report.md", _chooser(text, zero, one), _reader(zero, one))
    for name, (zero, one) in LINES.items():
        yield Smuggling(name, "report.md", _lines(zero, one), _line_reader(zero, one))
    yield Smuggling(
        "Chinese blanks",
        "report.md",
        _chinese_blanks,
        lambda left: [int(" " in each) for each in re.findall("版本.?对", left.decode())],
    )


TABLE = "| industry | n |\n|---|---|\n| retail | 120 |\n\n"
LINES: dict[str, tuple[str, str]] = {  # two forms of one line
    "heading marks": ("## The new version\n\n", "## The new version ##\n\n"),
    "gaps between paragraphs": ("The new version ranks better.\n\n", "The new version ranks better.\n\n\n"),
    "marks of items": ("- the new version\n", "* the new version\n"),
    "numbers of items": ("1. the new version\n\ntext\n\n", "7. the new version\n\ntext\n\n"),
    "indentation of items": ("- the new version\n", "  - the new version\n"),
    "levels of items": ("- the new version\n- better\n", "- the new version\n    - better\n"),
    "rules": ("The new version.\n\n---\n\n", "The new version.\n\n*****\n\n"),
    "alignment of tables": (TABLE, "| industry | n |\n|:---|---:|\n| retail | 120 |\n\n"),
    "padding of tables": (TABLE, "|industry|n|\n|---|---|\n|retail|120|\n\n"),
    "numbers in tables": (TABLE, "| industry | n |\n|---|---|\n| retail | 120.0 |\n\n"),
    "paragraph or item": ("The new version ranks better.\n\n", "- The new version ranks better.\n\n"),
    "quote or paragraph": ("The new version ranks better.\n\n", "> The new version ranks better.\n\n"),
}


def code_layouts() -> Iterator[Smuggling]:
    """Two forms of one statement of Python."""
    forms = {
        "blanks around signs": ("x = a + b\n", "x = a+b\n"),
        "quotes": ("x = 'a'\n", 'x = "a"\n'),
        "spelling of numbers": ("x = 16\n", "x = 0x10\n"),
        "blank lines": ("x = a\n", "x = a\n\n"),
        "indentation": ("if a:\n    x = 1\n", "if a:\n  x = 1\n"),
        "brackets": ("x = a + b\n", "x = (a + b)\n"),
        "line breaks": ("f(a, b)\n", "f(a,\n  b)\n"),
        "semicolons": ("x = a\ny = b\n", "x = a; y = b\n"),
        "places of comments": ("# the sum\nx = a\n", "x = a  # the sum\n"),
        "escapes": ("x = 'a'\n", "x = '\\x61'\n"),
        "zeros": ("x = 1.5\n", "x = 1.50\n"),
        "trailing commas": ("f(a, b)\n", "f(a, b,)\n"),
        "blanks in strings": ("x = 'a b'\n", "x = 'a  b'\n"),
        "continued lines": ("x = a + b\n", "x = a + \\\n b\n"),
    }
    for name, (zero, one) in forms.items():
        yield Smuggling(f"code: {name}", "code.py", _lines(zero, one), _line_reader(zero, one))
    sql = {
        "sql: blanks": ("SELECT a FROM t;\n", "SELECT  a FROM t;\n"),
        "sql: line breaks": ("SELECT a FROM t;\n", "SELECT a\nFROM t;\n"),
        "sql: indentation": ("SELECT a\nFROM t;\n", "SELECT a\n  FROM t;\n"),
        "sql: marks of comments": ("-- all\nSELECT a FROM t;\n", "/* all */\nSELECT a FROM t;\n"),
    }
    for name, (zero, one) in sql.items():
        yield Smuggling(name, "query.sql", _lines(zero, one), _line_reader(zero, one))


def _chooser(text: str, zero: str, one: str) -> Callable[[Bits], bytes]:
    def hide(bits: Bits) -> bytes:
        pieces = (text * (len(bits) // max(1, text.count(zero)) + 1)).split(zero)
        chosen = [*bits, *[0] * len(pieces)]
        return "".join(
            piece + ((one if chosen[n] else zero) if n < len(pieces) - 1 else "") for n, piece in enumerate(pieces)
        ).encode()

    return hide


def _reader(zero: str, one: str) -> Callable[[bytes], Bits]:
    pattern = re.compile(f"{re.escape(one)}|{re.escape(zero)}")
    return lambda left: [int(match[0] == one) for match in pattern.finditer(left.decode())]


def _lines(zero: str, one: str) -> Callable[[Bits], bytes]:
    return lambda bits: "".join(one if bit else zero for bit in bits).encode()


def _line_reader(zero: str, one: str) -> Callable[[bytes], Bits]:
    """Read one of two forms after the other; where neither stands, the next letter."""

    def find(left: bytes) -> Bits:
        text, at, bits = left.decode(), 0, []
        long, short = sorted(((one.strip("\n"), 1), (zero.strip("\n"), 0)), key=lambda each: -len(each[0]))
        while at < len(text):
            for form, bit in (long, short):
                if text.startswith(form, at):
                    bits.append(bit)
                    at += len(form) - 1
                    break
            at += 1
        return bits

    return find


def _chinese_blanks(bits: Bits) -> bytes:
    return "".join(CHINESE_SENTENCE.replace("版本对", "版本 对" if bit else "版本对") for bit in bits).encode()
