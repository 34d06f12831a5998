"""The nearest known name to an unknown one, for the hint at the end of a refusal."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def hint(name: str, known: Iterable[str], *, most: int = 12) -> str:
    """``Did you mean x?``, or what there is when nothing is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]}?"
    told = ", ".join(names[:most]) + (", …" if len(names) > most else "")
    return f"There is {told}" if names else "There is none"
