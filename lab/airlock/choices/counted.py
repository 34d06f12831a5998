"""The choices of a text that readers pass over (行文选择), in bits: of form, of code, of how words are joined.

``charged`` counts against the limit of what is not words. ``shown`` is what an ordinary text has as much of as a
message, so that no limit could tell them apart: the page says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lab.airlock.choices.idle_python import charge_python
from lab.airlock.choices.idle_sql import charge_sql
from lab.airlock.choices.repeated_forms import joint_bits, passed_over_bits
from lab.airlock.words.adaptive_code import AdaptiveCode, form_bits

FREE_IN_CODE = 60.0  # bits: what the code costs until it has learnt a writer's habits
Part = tuple[str, tuple[str, ...]]
"""The kind of a part of a text (python, sql, words, or another) and its lines."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The bits of choices that are charged, and of those that the page reports."""

    charged: float
    shown: float


def choices_of(form: list[str], parts: Iterable[Part]) -> Choices:
    """The choices of a text: its ``form`` block by block, and its parts in order."""
    code, signs = AdaptiveCode(), dict[str, str]()
    parts = list(parts)
    for kind, lines in parts:
        if kind == "python" and lines[:1] and lines[0].startswith("%%features"):
            charge_sql(code, lines[1:])
        elif kind == "python":
            charge_python(code, lines, signs)
        elif kind == "sql":
            charge_sql(code, lines)
    joined = joint_bits("\n".join(line for kind, lines in parts if kind == "words" for line in lines))
    shown = passed_over_bits(("words" if kind == "words" else "code", lines) for kind, lines in parts)
    return Choices(form_bits(form) + max(0.0, code.bits - FREE_IN_CODE) + joined, shown)
