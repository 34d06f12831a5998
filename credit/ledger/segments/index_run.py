"""A run of the index: sorted records ``key → where in the ledger``, of which a reader verifies only what it reads.

A record is 16 bytes: the first 8 of a key's SHA-256, and an entry's offset. Records fill pages; a table has the first
record and the digest of each page, tables of tables follow until one page is left (a Merkle tree, RFC 6962 §2.1, with
wide nodes). The zone signs the digest of that last page, so a page that was changed, or left out, is not believed.
"""

from __future__ import annotations

import hashlib
import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from credit.errors import Broken
from credit.files import write_atomically
from credit.keys import KeyRing, SigningKey
from credit.ledger.segments.store import FILE_MODE, make_folder
from credit.ledger.signed_record import opened, read_record, signed, write_record

RECORD, NODE, PAGE = 16, 48, 12_288  # bytes: a record, a table's line, a page of either
PURPOSE = "index"
_NAME = re.compile(r"(\d)-(\d{15})-(\d{15})\.run")


def key_of(kind: str, value: str) -> bytes:
    """The key under which entries with this value are indexed, such as ``("object", "release-1")``."""
    return hashlib.sha256(f"{kind}\0{value}".encode()).digest()[:8]


@dataclass(frozen=True, slots=True, order=True)
class IndexRun:
    """A file of the index, for the ledger's bytes from ``start`` to ``end``, merged ``level`` times."""

    start: int
    end: int
    level: int
    folder: Path

    @property
    def path(self) -> Path:
        """The file of its records and tables."""
        return self.folder / f"{self.level}-{self.start:015d}-{self.end:015d}.run"

    def offsets(self, key: bytes, ring: KeyRing, zone: str) -> list[int]:
        """Where entries with this key begin; raises :class:`Broken` for a run that is not as the zone signed it."""
        with self.path.open("rb") as stream:
            layers = self._layers(ring, zone)
            wanted = [(0, str(layers[-1][2]))]  # the root: one page
            for place, (begin, length, _) in reversed(list(enumerate(layers))):
                pages = [_page(stream, begin, length, number, expected) for number, expected in wanted]
                if place == 0:
                    return [int.from_bytes(each[8:]) for page in pages for each in _matching(page, key)]
                wanted = _children(pages, wanted, key)
        return []

    def records(self, ring: KeyRing, zone: str) -> bytes:
        """All records, every page verified. Raises :class:`Broken`."""
        whole = self.path.read_bytes()
        layers = self._layers(ring, zone)
        records = whole[: layers[0][1]]
        if _tree(records) != (whole, layers):
            raise Broken("ledger.index-changed", name=self.path.name)
        return records

    def write(self, records: bytes, key: SigningKey) -> None:
        """Write the run: its records, in order, and then its signature, without which it is not read."""
        make_folder(self.folder)
        content, layers = _tree(records)
        write_atomically(self.path, content, mode=FILE_MODE)
        head = {"start": self.start, "end": self.end, "layers": [list(layer) for layer in layers]}
        write_record(self.path.with_suffix(".json"), signed(head, PURPOSE, key))

    def remove(self) -> None:
        """Delete the files of a run."""
        self.path.with_suffix(".json").unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _layers(self, ring: KeyRing, zone: str) -> list[tuple[int, int, str]]:
        record = read_record(self.path.with_suffix(".json"))
        if record is None:
            raise Broken("ledger.index-changed", name=self.path.name)
        head = opened(record, PURPOSE, zone or str(record.get("keyid", "")).partition(":")[0], ring)
        if (head.get("start"), head.get("end")) != (self.start, self.end):
            raise Broken("ledger.index-changed", name=self.path.name)
        return [(int(begin), int(length), str(root)) for begin, length, root in head["layers"]]


def runs_in(folder: Path) -> list[IndexRun]:
    """The runs of an index, in the order of the ledger; of two for the same bytes the merged one."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    matches = [match for name in names if (match := _NAME.fullmatch(name))]
    runs = sorted((IndexRun(int(m[2]), int(m[3]), int(m[1]), folder) for m in matches), key=lambda r: (r.start, -r.end))
    kept: list[IndexRun] = []
    for run in runs:
        if not kept or run.start >= kept[-1].end:
            kept.append(run)
    return kept


def sorted_records(pairs: Iterable[bytes]) -> bytes:
    """Records in order, as a run stores them."""
    return b"".join(sorted(pairs))


def _tree(records: bytes) -> tuple[bytes, list[tuple[int, int, str]]]:
    """Records and the tables above them, and each layer's place, length and digest of its first page."""
    content, layer, layers = [records], records, [(0, len(records), _digest(records[:PAGE]).hex())]
    while len(layer) > PAGE:
        layer = b"".join(page[:RECORD] + _digest(page) for page in _pages(layer))
        layers.append((sum(map(len, content)), len(layer), _digest(layer[:PAGE]).hex()))
        content.append(layer)
    return b"".join(content), layers


def _pages(layer: bytes) -> Iterator[bytes]:
    return (layer[place : place + PAGE] for place in range(0, len(layer), PAGE))


def _page(stream: BinaryIO, begin: int, length: int, number: int, expected: str) -> bytes:
    stream.seek(begin + number * PAGE)
    page = stream.read(min(PAGE, length - number * PAGE))
    if _digest(page).hex() != expected:
        raise Broken("ledger.index-changed", name=Path(str(stream.name)).name)
    return page


def _children(pages: list[bytes], parents: list[tuple[int, str]], key: bytes) -> list[tuple[int, str]]:
    """The pages below that may have records with the key: number and digest of each."""
    children = []
    for page, (number, _) in zip(pages, parents, strict=True):
        firsts = [page[place : place + RECORD] for place in range(0, len(page), NODE)]
        low = max(0, bisect_left(firsts, key) - 1)
        high = bisect_left(firsts, key + b"\xff" * 8)
        base = number * (PAGE // NODE)
        for place in range(low, max(high, low + 1)):
            digest = page[place * NODE + RECORD : (place + 1) * NODE]
            children.append((base + place, digest.hex()))
    return children


def _matching(page: bytes, key: bytes) -> list[bytes]:
    records = [page[place : place + RECORD] for place in range(0, len(page), RECORD)]
    return records[bisect_left(records, key) : bisect_left(records, key + b"\xff" * 8 + b"\xff")]


def _digest(page: bytes) -> bytes:
    return hashlib.sha256(page).digest()
