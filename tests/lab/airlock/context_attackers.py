"""Attackers on a parcel's context: each hides a message in what the author says of a file."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Context = dict[str, Any]


def _about(change: Callable[[random.Random, Context], None]) -> Callable[[random.Random, Context], Context]:
    def encode(draw: random.Random, context: Context) -> Context:
        change(draw, context["files"]["t.csv"])
        return context

    return encode


def _padded(draw: random.Random, text: str) -> str:
    return "".join(char + draw.choice(["", "\u3000", "\t", "\xa0"]) if char == " " else char for char in text)


def _title(draw: random.Random, context: Context) -> Context:
    return context | {"title": _padded(draw, context["title"] + " ")}


def _full_width(draw: random.Random, context: Context) -> Context:
    spelled = "".join(chr(ord(c) + 0xFEE0) if c.isalpha() and draw.random() < 0.5 else c for c in context["purpose"])
    return context | {"purpose": spelled}


def _sources(draw: random.Random, context: Context) -> Context:
    return context | {"releases": context["releases"] * draw.randint(1, 40)}


def _counts(draw: random.Random, about: Context) -> None:
    about["counts"] = ["n", *(f"{draw.getrandbits(64)}" for _ in range(90))]


def _subjects(draw: random.Random, about: Context) -> None:
    about["subjects"] = draw.randint(445, 100_000)


def _blanks(draw: random.Random, about: Context) -> None:
    about["what"] = _padded(draw, about["what"])


def _invisible(draw: random.Random, about: Context) -> None:
    about["counted"] = "".join(char + draw.choice(["", "\u200b", "\u2060"]) for char in about["counted"])


def _member(draw: random.Random, about: Context) -> None:
    about["note"] = f"{draw.getrandbits(512)}"


def _file_name(draw: random.Random, context: Context) -> Context:
    name = "bands of firms".replace(" ", " " * draw.randint(1, 9)) + draw.choice([".csv", ".txt", ".tsv"])
    return context | {"files": {name: context["files"]["t.csv"]}}


CONTEXTS: dict[str, Callable[[random.Random, Context], Context]] = {
    "columns that count": _about(_counts),
    "the number of subjects": _about(_subjects),
    "blanks in a description": _about(_blanks),
    "invisible characters": _about(_invisible),
    "a member that nobody reads": _about(_member),
    "blanks in the title": _title,
    "full-width letters": _full_width,
    "a source said again": _sources,
    "blanks in a file's name, and its ending": _file_name,
}
