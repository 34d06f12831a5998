"""What an attacker gets out of the lab unseen: bits that differ in what leaves where the reviewer's page is the same.

An attacker hides many messages, one a try. The tries that the gate lets out are grouped by what their pages show; the
different outputs within one group are what a receiver can tell apart and no reviewer can: their number's logarithm.
"""

from __future__ import annotations

import math
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.airlock.context_attackers import CONTEXTS
from bench.airlock.table_attackers import ATTACKERS, Encoder
from bench.record import record
from credit.canonical import canonical, digest
from credit.errors import CreditError
from credit.gate import Outcome
from credit.keys import KeyRing, SigningKey
from credit.shelf import Shelf
from lab.airlock.files.file_kinds import FileKind
from lab.airlock.gate import judge_parcel
from lab.airlock.issue import Issue
from lab.airlock.kinds.registry import format_of
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.review.parcel_manifest import manifest_lines
from lab.airlock.thresholds import load
from tests.lab.airlock.review_zone import AUTHOR, PROJECT, SAFE, ReviewZone, build

TRIES = 40


def smuggled_bits_tables() -> None:
    """The most bits that one table carried out beside its shown cells, over all attackers on tables."""
    bits = {name: _bits(_through_the_gate(encode)) for name, encode in ATTACKERS.items()}
    passed = {name: count for name, encode in ATTACKERS.items() if (count := len(list(_through_the_gate(encode))))}
    more = {"attackers": len(bits), "tries": TRIES, "let_out": passed, "bits": {n: b for n, b in bits.items() if b}}
    record("smuggled_bits_tables", max(bits.values()), "bits", goal=0, data="twenty bands", more=more)


def unseen_bits_per_parcel() -> None:
    """The most bits that differed in the seal and the files of a parcel while its pages showed the same."""
    bits = {}
    for name in CONTEXTS:
        with tempfile.TemporaryDirectory() as folder:
            bits[name] = _bits(_through_the_review(name, Path(folder)))
    more = {"attackers": len(bits), "tries": TRIES // 4, "bits": {n: b for n, b in bits.items() if b}}
    record("unseen_bits_per_parcel", max(bits.values()), "bits", goal=0, data="a parcel of one table", more=more)


def _bits(tries: Iterator[tuple[str, str]]) -> float:
    """The bits that a receiver decodes at most where what is shown is the same; ``tries`` are (shown, leaving)."""
    groups: dict[str, set[str]] = defaultdict(set)
    for shown, leaving in tries:
        groups[shown].add(leaving)
    return max((math.log2(len(outputs)) for outputs in groups.values()), default=0.0)


def _through_the_gate(encode: Encoder) -> Iterator[tuple[str, str]]:
    for seed in range(TRIES):
        name, content = encode(random.Random(seed))
        context = ParcelContext("Bands", "a paper", {name: FileDescription("bands", subjects=100_000)}, ("release-1",))
        judgement = judge_parcel({name: content}, context=context)
        if judgement.verdict.outcome is Outcome.FAIL:
            continue
        inspection = judgement.files[name]
        leaving = digest(canonical({each: digest(content) for each, content in judgement.leaving.items()}))
        yield _page_of(inspection.kind, inspection.outgoing), leaving


def _page_of(kind: FileKind | None, content: bytes) -> str:
    format = format_of(kind) if kind else None
    read = format.read(content, load()) if format else None
    if format is None or read is None or isinstance(read, Issue):
        return ""
    return repr(format.show(read.model))


def _through_the_review(attacker: str, folder: Path) -> Iterator[tuple[str, str]]:
    (folder / "keys").mkdir()
    keys = {zone: SigningKey.create(folder / "keys", zone) for zone in ("research", "custody", "compute", "platform")}
    ring = KeyRing.of(*keys.values())
    for seed in range(TRIES // 4):
        zone = build(folder / str(seed), keys, ring)
        try:
            yield _collected(zone, attacker, random.Random(seed), ring)
        except CreditError:
            continue


def _collected(zone: ReviewZone, attacker: str, draw: random.Random, ring: KeyRing) -> tuple[str, str]:
    context = CONTEXTS[attacker](draw, zone.context({"t.csv": b""}).as_json())
    files = dict.fromkeys(context["files"], SAFE)
    id = zone.airlock.submit(files, ParcelContext.parse(context), by=AUTHOR, project=PROJECT).id
    zone.approve(id)
    petition = zone.airlock.get(id)
    pages = [
        _page_of(FileKind(each.kind), zone.airlock.file(id, name, by=AUTHOR)) for name, each in petition.files.items()
    ]
    shown = repr((manifest_lines(replace(petition, id=""), zone.airlock.shelf), pages))
    seal = zone.airlock.collect(id, by=AUTHOR)
    opened = Shelf(zone.airlock.settings.outbox, ring).open(seal.id)
    terms = {name: value for name, value in opened.seal.terms.items() if name != "petition"}
    return shown, digest(canonical({"terms": terms, "parents": list(seal.parents), "files": dict(seal.files)}))
