"""Attackers by choices that mean the same: forms of a query, of a statement, and of how words are joined.

Each is made from a frame with places and from the forms that may stand at each of them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log2

from tests.lab.airlock.kinds.texts.text_seeds import cell, notebook

GOODS = [
    "food", "trade", "steel", "paper", "wood", "glass", "coal", "water", "fish", "grain", "sugar", "salt", "wool",
    "cotton", "leather", "rubber", "stone", "sand", "metal", "oil", "wine", "tea",
]  # fmt: skip
OPERATORS = ["+", "-", "*", "/", "%", "&", "|", "<<", ">>"]


@dataclass(frozen=True, slots=True)
class Frame:
    """A text of places: what stands before, between and after them, and the forms of each place."""

    name: str
    file: str
    before: str
    forms: tuple[str, ...]
    between: str = ""
    after: str = ""

    def text(self, draw: random.Random, places: int) -> bytes:
        """The text with forms drawn for so many places."""
        chosen = self.between.join(draw.choice(self.forms) for _ in range(places))
        return f"{self.before}{chosen}{self.after}".encode()

    def bits(self, places: int) -> float:
        """What so many places carry."""
        return places * log2(len(self.forms))


def idle_frames() -> Iterator[Frame]:
    """Frames of SQL, Python and prose, each with several ways to say one thing."""
    conditions = {
        "not equal": ("firms <> rows", "firms != rows"),
        "equal": ("firms = rows", "firms == rows"),
        "brackets around a name": ("firms = rows", "(firms) = rows", "firms = ((rows))"),
        "brackets around a condition": ("firms = rows", "(firms = rows)"),
        "quotes around a name": ("firms = rows", '"firms" = rows', 'firms = "rows"'),
    }
    for name, forms in conditions.items():
        yield Frame(name, "query.sql", "SELECT * FROM city WHERE ", forms, " AND ")
    columns = {
        "casts": ("firms::int", "CAST(firms AS int)"),
        "aliases": ("sum(firms) AS total", "sum(firms) total"),
        "aliases that are words of SQL": ("sum(firms) AS rows", "sum(firms) rows"),
        "brackets around a sum": ("firms + 1", "(firms + 1)"),
        "signs in a query": tuple(f"firms {sign} rows" for sign in OPERATORS),
    }
    for name, forms in columns.items():
        yield Frame(name, "query.sql", "SELECT ", forms, ",\n", " FROM city")
    statements = {
        "ascending": ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a ASC"),
        "inner": ("SELECT a FROM t JOIN u USING (a)", "SELECT a FROM t INNER JOIN u USING (a)"),
    }
    for name, forms in statements.items():
        yield Frame(name, "query.sql", "", forms, ";\n", ";\n")
    idle = ("rows", "rows = rows", "rows.rows", "[rows]", "{rows}", "-rows", "not rows", "rows()")
    yield Frame("statements without effect", "code.py", "", idle, "\n", "\n")
    yield Frame("signs in lines", "code.py", "", tuple(f"rows = rows {sign} firms" for sign in OPERATORS), "\n", "\n")
    yield Frame("signs in a sum", "code.py", "x = rows ", tuple(f"{sign} rows" for sign in OPERATORS), " ", "\n")
    yield Frame("comparisons", "code.py", "", tuple(f"f(rows {sign} n)" for sign in ("<", ">", "==")), "\n", "\n")
    for words in (("default", "rate"), ("market", "share")):
        forms = tuple(f"the {joint.join(words)} of firms is low" for joint in (" ", "-", "_", ""))
        yield Frame(f"how {words[0]} and {words[1]} are joined", "report.md", "In a year, ", forms, ", ", ".")
    zeros = tuple(f"the share is {'0' * n}7 percent in this group" for n in range(2, 8))
    yield Frame("zeros before a number", "report.md", "In a year, ", zeros, ", ", ".")


def in_a_notebook(frame: Frame) -> Callable[[random.Random, int], tuple[str, bytes]]:
    """The same in the cells of a notebook, of Python, of SQL under the magic of a feature, or of Markdown."""

    def encode(draw: random.Random, places: int) -> tuple[str, bytes]:
        text = frame.text(draw, places).decode()
        source = f"%%features\n{text.split(';')[0]}" if frame.file.endswith(".sql") else text
        return "result.ipynb", notebook(cell("markdown" if frame.file.endswith(".md") else "code", source))

    return encode


def shuffled_table(draw: random.Random, rows: int, ending: str) -> tuple[str, bytes]:
    """A table of bands of two columns whose message is the order of its rows."""
    body = [(f"{GOODS[n // 22]} and {GOODS[n % 22]}", 100 + 5 * (n % 60)) for n in range(rows)]
    draw.shuffle(body)
    if ending == "json":
        return "bands.json", json.dumps([{"band": band, "firms": count} for band, count in body]).encode()
    if ending == "md":
        lines = "\n".join(f"| {band} | {count} |" for band, count in body)
        return "bands.md", f"# Firms by band\n\n| band | firms |\n|---|---|\n{lines}\n".encode()
    return "bands.csv", ("band,firms\n" + "".join(f"{band},{count}\n" for band, count in body)).encode()
