"""Smuggling: a message is hidden in a file, the gate writes the file again, and the attacker reads the message there.

What counts is what left and was read: the bits of the longest message of which nearly every bit comes out right, or, if
the gate garbles some of them, the capacity of that channel.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log2

from credit.gate import Outcome
from lab.airlock.gate import ParcelJudgement, judge_parcel
from lab.airlock.parcel_context import FileDescription, ParcelContext

SIZES = (24, 96, 160, 224, 288, 384, 1024)
Bits = Sequence[int]


@dataclass(frozen=True, slots=True)
class Smuggling:
    """A way to hide bits in a file called ``file``, and to read them from the file that left."""

    name: str
    file: str
    hide: Callable[[Bits], bytes]
    find: Callable[[bytes], Bits]


def leaves(file: str, content: bytes) -> dict[str, bytes]:
    """The files that leave for a file that the gate does not refuse; none when the gate refuses."""
    about = {file: FileDescription("a result", population="all firms", counted="subjects", subjects=100_000)}
    context = ParcelContext("A result", "A paper on small firms", about, ("release-1",))
    judgement: ParcelJudgement = judge_parcel({file: content}, context=context)
    return {} if judgement.verdict.outcome is Outcome.FAIL else dict(judgement.leaving)


def smuggled(attack: Smuggling, sizes: Sequence[int] = SIZES, seed: int = 1) -> float:
    """The most bits that came out, over messages of several sizes."""
    best = 0.0
    for size in sizes:
        bits = random.Random(f"{seed} {size} {attack.name}").choices((0, 1), k=size)
        left = leaves(attack.file, attack.hide(bits))
        best = max([best, *(_read(attack, bits, content) for content in left.values())])
        if not left:
            break  # a longer message is refused too
    return best


def _read(attack: Smuggling, bits: Bits, content: bytes) -> float:
    """The bits that a channel carries which gets so many of them right: its capacity, as a binary symmetric one."""
    try:
        read = list(attack.find(content))[: len(bits)]
    except (ValueError, LookupError, UnicodeDecodeError, AttributeError):
        return 0.0
    right = sum(one == other for one, other in zip(bits, read, strict=False)) / len(bits)
    if right < 0.5 + 2 / len(bits) ** 0.5:  # what chance gives, with room
        return 0.0
    wrong = 1 - right
    entropy = 0.0 if wrong in (0.0, 1.0) else -wrong * log2(wrong) - right * log2(right)
    return len(bits) * (1 - entropy)


def in_groups(bits: Bits, width: int) -> Iterator[int]:
    """Bits as numbers of so many bits, the last filled with zeros."""
    for start in range(0, len(bits), width):
        group = [*bits[start : start + width], *[0] * width][:width]
        yield int("".join(map(str, group)), 2)


def as_bits(numbers: Sequence[int], width: int) -> list[int]:
    """Numbers as bits, so many for each."""
    return [int(bit) for number in numbers for bit in f"{number:0{width}b}"[-width:]]
