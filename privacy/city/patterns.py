"""Random texts that match a pattern of the catalogue: literals, ``\\d``, ``[classes]`` and ``{repeats}``."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from credit.errors import Malformed
from credit.messages import Text
from privacy.city.words import concatenate, pick

_ATOM = re.compile(r"(\[[^\]^]+\]|\\d|\\.|[^\\\[\](){}|*+?.^$])(?:\{(\d+)(?:,(\d+))?\}|([+*?]))?")
_LONGEST = 8  # maximum repetitions of an atom without an upper bound


def matching_texts(rng: np.random.Generator, pattern: str, count: int) -> pa.Array:
    """``count`` random texts that match ``pattern``; raises :class:`Malformed` for groups or alternatives."""
    inner = pattern.removeprefix("^").removesuffix("$")
    parts: list[str | pa.Array] = [""]
    at = 0
    while at < len(inner):
        atom = _ATOM.match(inner, at)
        if atom is None:
            raise Malformed("patterns.invented-city-cannot-fill-pattern", why=Text.verbatim(pattern))
        letters = _letters(atom[1])
        least = {"+": 1, "*": 0, "?": 0}.get(atom[4], int(atom[2] or 1))
        most = max(least, {"+": _LONGEST, "*": _LONGEST, "?": 1}.get(atom[4], int(atom[3] or least)))
        length = rng.integers(least, most + 1, count)
        for place in range(most):
            drawn = rng.integers(0, len(letters), count)
            parts.append(pick((*letters, ""), np.where(place < length, drawn, len(letters))))
        at = atom.end()
    return concatenate(pick(("",), np.zeros(count, np.int64)), *parts)


def _letters(atom: str) -> tuple[str, ...]:
    if atom == r"\d":
        return tuple("0123456789")
    if not atom.startswith("["):
        return (atom.removeprefix("\\"),)
    inside, letters, at = atom[1:-1].replace(r"\d", "0-9"), "", 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            letters += "".join(map(chr, range(ord(inside[at]), ord(inside[at + 2]) + 1)))
            at += 3
        else:
            letters += inside[at]
            at += 1
    return tuple(letters)
