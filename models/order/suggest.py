"""The nearest known name to an unknown one, for the hint at the end of a refusal."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from credit.messages import Text


def hint(name: str, known: Iterable[str], *, most: int = 12) -> Text:
    """``Did you mean x?``, or what there is when nothing is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    if near:
        return Text.of("suggest.did-you-mean", name=near[0])
    text = ", ".join(names[:most]) + (", …" if len(names) > most else "")
    return Text.of("suggest.known", names=text) if names else Text.of("suggest.none")
