"""How many bits a sequence of choices can carry (自适应编码长度): the length of a code that learns as it goes.

A choice that follows the pattern of those before costs little, one at random as much as it carries: so a long text of
an even form is cheap, and a message in its form is charged in full. The code is that of PPM (Moffat 1990, method C), of
order 1.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from math import log2

ALPHABET = 16  # among which a choice that was not made before is drawn


class AdaptiveCode:
    """The bits of choices so far, each in the context of another."""

    def __init__(self) -> None:
        self.bits = 0.0
        self._before: dict[str, Counter[str]] = defaultdict(Counter)
        self._anywhere = Counter[str]()

    def add(self, context: str, choice: str) -> None:
        """Charge a choice by how often it was made in this context, else by how often in any, else as a new one."""
        in_context, anywhere = self._before[context], self._anywhere
        for counts in (in_context, anywhere):
            total, kinds = counts.total(), len(counts)
            if counts[choice]:
                self.bits += log2((total + kinds) / counts[choice])
                break
            self.bits += log2((total + kinds) / kinds) if kinds else 0.0
        else:
            self.bits += log2(ALPHABET)
        in_context[choice] += 1
        anywhere[choice] += 1


def form_bits(choices: list[str]) -> float:
    """The bits of a sequence of choices, each in the context of the one before."""
    code = AdaptiveCode()
    for before, choice in zip(["", *choices], choices, strict=False):
        code.add(before, choice)
    return code.bits
