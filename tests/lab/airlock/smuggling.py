"""Smuggling: a message is hidden in a file, the gate writes the file again, and the attacker reads the message there.

Two measures. Of an attacker who reads (:class:`Smuggling`), what counts is what left and was read: the bits of the
longest message of which nearly every bit comes out right, or, if the gate garbles some of them, the capacity of that
channel. Of one who only hides, tries that left are grouped by what their pages show: different outputs within one
group are what a receiver can tell apart and no reviewer can; the measure is their number's logarithm
(:func:`unseen_bits`).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log2

from credit.canonical import canonical, digest
from credit.gate import Outcome
from lab.airlock.files.file_kinds import FileKind
from lab.airlock.gate import ParcelJudgement, judge_parcel
from lab.airlock.issue import Issue
from lab.airlock.kinds.registry import format_of
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.thresholds import load

SIZES = (24, 96, 160, 224, 288, 384, 1024)
Bits = Sequence[int]


@dataclass(frozen=True, slots=True)
class Smuggling:
    """A way to hide bits in a file called ``file``, and to read them from the file that left."""

    name: str
    file: str
    hide: Callable[[Bits], bytes]
    find: Callable[[bytes], Bits]


NOTICED = ("words", "words to read", "digits", "names")  # checks whose REVIEW names what could be a message


def leaves(file: str, content: bytes, *, noticed: bool = False) -> dict[str, bytes]:
    """The files that leave for a file of which the gate says nothing; none when it refuses.

    With ``noticed`` also those that leave if two reviewers agree, who read what could be a message.
    """
    about = {file: FileDescription("a result", population="all firms", counted="subjects", subjects=100_000)}
    context = ParcelContext("A result", "A paper on small firms", about, ("release-1",))
    judgement: ParcelJudgement = judge_parcel({file: content}, context=context)
    doubtful = any(each.check in NOTICED and each.outcome is Outcome.REVIEW for each in judgement.verdict.findings)
    refused = judgement.verdict.outcome is Outcome.FAIL or (doubtful and not noticed)
    return {} if refused else dict(judgement.leaving)


def smuggled(attack: Smuggling, sizes: Sequence[int] = SIZES, seed: int = 1, *, noticed: bool = False) -> float:
    """The most bits that came out, over messages of several sizes; ``noticed`` as in :func:`leaves`."""
    best = 0.0
    for size in sizes:
        bits = random.Random(f"{seed} {size} {attack.name}").choices((0, 1), k=size)
        left = leaves(attack.file, attack.hide(bits), noticed=noticed)
        best = max([best, *(_read(attack, bits, content) for content in left.values())])
        if not left:
            break  # a longer message is refused too
    return best


def _read(attack: Smuggling, bits: Bits, content: bytes) -> float:
    try:
        return carried(bits, attack.find(content))
    except (ValueError, LookupError, UnicodeDecodeError, AttributeError):
        return 0.0


def carried(bits: Bits, decoded: Bits) -> float:
    """The bits that a channel carries which gets so many of them right: its capacity, as a binary symmetric one."""
    read = list(decoded)[: len(bits)]
    right = sum(one == other for one, other in zip(bits, read, strict=False)) / len(bits)
    if right < 0.5 + 2 / len(bits) ** 0.5:  # what chance gives, with room
        return 0.0
    wrong = 1 - right
    entropy = 0.0 if wrong in (0.0, 1.0) else -wrong * log2(wrong) - right * log2(right)
    return len(bits) * (1 - entropy)


def unseen_bits(tries: Iterable[tuple[str, str]]) -> float:
    """The bits that a receiver decodes at most where what is shown is the same; ``tries`` are (shown, leaving)."""
    groups: dict[str, set[str]] = defaultdict(set)
    for shown, leaving in tries:
        groups[shown].add(leaving)
    return max((log2(len(outputs)) for outputs in groups.values()), default=0.0)


def through_the_gate(encode: Callable[[random.Random], tuple[str, bytes]], tries: int) -> Iterator[tuple[str, str]]:
    """What is shown and what leaves, of each try of an attacker that the gate lets out."""
    for seed in range(tries):
        name, content = encode(random.Random(seed))
        about = {name: FileDescription("bands", subjects=100_000)}
        judgement = judge_parcel({name: content}, context=ParcelContext("Bands", "a paper", about, ("release-1",)))
        if judgement.verdict.outcome is Outcome.FAIL:
            continue
        inspection = judgement.files[name]
        leaving = {each: digest(content) for each, content in judgement.leaving.items()}
        yield page_of(inspection.kind, inspection.outgoing), digest(canonical(leaving))


def page_of(kind: FileKind | None, content: bytes) -> str:
    """What a reviewer sees of a file's main form."""
    format = format_of(kind) if kind else None
    read = format.read(content, load()) if format else None
    if format is None or read is None or isinstance(read, Issue):
        return ""
    return repr(format.show(read.model))


def in_groups(bits: Bits, width: int) -> Iterator[int]:
    """Bits as numbers of so many bits, the last filled with zeros."""
    for start in range(0, len(bits), width):
        group = [*bits[start : start + width], *[0] * width][:width]
        yield int("".join(map(str, group)), 2)


def as_bits(numbers: Sequence[int], width: int) -> list[int]:
    """Numbers as bits, so many for each."""
    return [int(bit) for number in numbers for bit in f"{number:0{width}b}"[-width:]]
