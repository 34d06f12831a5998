"""What attackers get out of the lab that no reviewer reads, by kind of file: the most bits of any of ours.

The attackers and both measures are those of the tests (:mod:`tests.lab.airlock.smuggling`). What a page shows as words,
numbers in sentences and marks that can be seen is not counted; pictures are reported with such marks too.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from bench.record import record
from credit.canonical import canonical, digest
from credit.errors import CreditError
from credit.keys import KeyRing, SigningKey
from credit.shelf import Shelf
from lab.airlock.files.file_kinds import FileKind
from lab.airlock.parcel_context import ParcelContext
from lab.airlock.review.parcel_manifest import manifest_lines
from tests.lab.airlock.context_attackers import CONTEXTS
from tests.lab.airlock.kinds.models.model_attacks import MODELS
from tests.lab.airlock.kinds.pictures.picture_attacks import seen as seen_in_pictures
from tests.lab.airlock.kinds.pictures.picture_attacks import unseen as unseen_in_pictures
from tests.lab.airlock.kinds.tables.table_attackers import ATTACKERS
from tests.lab.airlock.kinds.texts.alphabet_attacks import alphabets
from tests.lab.airlock.kinds.texts.idle_attacks import idle_frames
from tests.lab.airlock.kinds.texts.notebook_attacks import in_notebooks
from tests.lab.airlock.kinds.texts.seen_attacks import seen_in_texts
from tests.lab.airlock.kinds.texts.spelling_attacks import code_layouts, spellings
from tests.lab.airlock.review_zone import AUTHOR, FIRST, PROJECT, SAFE, ReviewZone, build
from tests.lab.airlock.smuggling import Smuggling, leaves, page_of, smuggled, through_the_gate, unseen_bits

TRIES = 40
PLACES = (24, 48, 96, 128, 192, 256, 384, 600)
TEXT_SIZES = (24, 160, 224, 256, 288, 1024)


def smuggled_bits_tables() -> None:
    """The most bits that one table carried out beside its shown cells, over all attackers on tables."""
    tries = {name: list(through_the_gate(encode, TRIES)) for name, encode in ATTACKERS.items()}
    bits = {name: unseen_bits(each) for name, each in tries.items()}
    passed = {name: len(each) for name, each in tries.items() if each}
    more = {"attackers": len(bits), "tries": TRIES, "let_out": passed, "bits": {n: b for n, b in bits.items() if b}}
    record("smuggled_bits_tables", max(bits.values()), "bits", goal=0, data="twenty bands", more=more)


def unseen_bits_per_parcel() -> None:
    """The most bits that differed in the seal and the files of a parcel while its pages showed the same."""
    bits = {}
    for name in CONTEXTS:
        with tempfile.TemporaryDirectory() as folder:
            bits[name] = unseen_bits(_through_the_review(name, Path(folder)))
    more = {"attackers": len(bits), "tries": TRIES // 4, "bits": {n: b for n, b in bits.items() if b}}
    record("unseen_bits_per_parcel", max(bits.values()), "bits", goal=0, data="a parcel of one table", more=more)


def smuggled_bits_text() -> None:
    """The most bits that an attacker on texts and code decodes from what left, of those that no reader passes over."""
    attacks = [*spellings(), *code_layouts(), *alphabets()]
    _record("smuggled_bits_text", attacks, TEXT_SIZES, goal=256, seen=seen_in_texts())


def smuggled_bits_same_meaning() -> None:
    """The most bits that forms which mean the same carry in a file of which the gate says nothing."""
    bits = {}
    for frame in idle_frames():
        passed = [n for n in PLACES if leaves(frame.file, frame.text(random.Random(n), n))]
        bits[frame.name] = round(frame.bits(max(passed, default=0)), 1)
    more = {"attackers": len(bits), "most": dict(sorted(bits.items(), key=lambda each: -each[1])[:5])}
    record("smuggled_bits_same_meaning", max(bits.values()), "bits", goal=400, data="attackers of the tests", more=more)


def smuggled_bits_notebooks() -> None:
    """The same of notebooks: every attack on texts in cells and outputs, and what notebooks have beside them."""
    _record("smuggled_bits_notebooks", in_notebooks(), (96, 224, 256, 1024), goal=256)


def smuggled_bits_pictures() -> None:
    """The most bits that an attacker decodes from a picture: changes that no reader sees; with marks, beside it."""
    _record("smuggled_bits_pictures", unseen_in_pictures(), (24, 256, 1024, 6956), seen=seen_in_pictures())


def smuggled_bits_models() -> None:
    """The most bits of an order's author that a receiver decodes from the copy of the model."""
    bits = {name: round(attack(), 1) for name, attack in MODELS.items()}
    more = {"attackers": len(bits), "bits": {name: value for name, value in bits.items() if value}}
    record("smuggled_bits_models", max(bits.values()), "bits", goal=64, data="1,500 invented rows", more=more)


def _record(
    name: str, attacks: Iterable[Smuggling], sizes: tuple[int, ...], *, goal: float | None = None,
    seen: Iterable[Smuggling] = (),
) -> None:  # fmt: skip
    bits = {attack.name: round(smuggled(attack, sizes), 1) for attack in attacks}
    marks = {attack.name: round(smuggled(attack, sizes), 1) for attack in seen}
    most = dict(sorted(((n, b) for n, b in bits.items() if b), key=lambda each: -each[1])[:5])
    more = {"attackers": len(bits), "most": most, "seen": {n: b for n, b in marks.items() if b}}
    record(name, max(bits.values()), "bits", goal=goal, data="attackers of the tests", more=more)


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
        page_of(FileKind(each.kind), zone.airlock.file(id, name, by=FIRST)) for name, each in petition.files.items()
    ]
    shown = repr((manifest_lines(replace(petition, id=""), zone.airlock.shelf), pages))
    seal = zone.airlock.collect(id, by=AUTHOR)
    opened = Shelf(zone.airlock.settings.outbox, ring).open(seal.id)
    terms = {name: value for name, value in opened.seal.terms.items() if name != "petition"}
    return shown, digest(canonical({"terms": terms, "parents": list(seal.parents), "files": dict(seal.files)}))
