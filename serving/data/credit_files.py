"""Dossiers as the service holds them: a sealed look-up of public records by subject, verified, mapped, swapped whole.

Made by `models.snapshots.credit_files`, which tells the files' form. No database is opened and nothing is parsed but
the one dossier.
"""

from __future__ import annotations

import asyncio
import json
import logging
import mmap
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from credit.errors import Broken, CreditError, Lapsed, Missing
from credit.fields import INQUIRY
from credit.messages import Text
from credit.seal import Kind
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from models.scoring.snapshot_layout import (
    DOSSIERS_FILE,
    INDEX_FILE,
    KEY_BYTES,
    OFFSET_BYTES,
    OFFSET_ORDER,
    OFFSETS_FILE,
    SUBJECTS_FILE,
)
from serving.data.key_index import KeyIndex, map_bytes
from serving.data.snapshot import FileStamps, file_stamps, last_valid_day
from serving.data.suppression import Suppression
from serving.observability import log
from serving.state.coordination_db import CoordinationDb

NAME, POINTER, SIGNERS = "dossiers", "snapshot-dossiers", {"platform"}
CreditFile = Mapping[str, list[list[Any]]]  # table -> records of happened, ends and the values of its columns


@dataclass(frozen=True, slots=True)
class CreditFiles:
    """The records of every subject on a day; never changed, only replaced."""

    snapshot: str
    release: str
    as_of: date
    ends: date  # the first day on which they have lapsed
    invented: bool
    notice: int  # through which notice of withholding they go
    tables: Mapping[str, Any] = field(repr=False)  # what the release says of each table; columns in order
    marks: FileStamps = field(repr=False)
    _rows: KeyIndex = field(repr=False)
    _offsets: bytes | mmap.mmap = field(repr=False)
    _text: bytes | mmap.mmap = field(repr=False)

    def find(self, key: bytes) -> CreditFile | None:
        """A subject's dossier; None when nothing is recorded of it."""
        row = self._rows.row_of(key)
        if row is None:
            return None
        start, end = (
            int.from_bytes(self._offsets[at * OFFSET_BYTES : (at + 1) * OFFSET_BYTES], OFFSET_ORDER)
            for at in (row, row + 1)
        )
        found: CreditFile = json.loads(self._text[start:end])
        return found

    def valid_until(self, freshness_days: int) -> date:
        """The last day on which they may answer."""
        return last_valid_day(self.as_of, self.ends, freshness_days)


def open_credit_files(shelf: Shelf, name: str) -> CreditFiles:
    """Open with every digest verified, and map the files. Raises Broken when anything does not fit, Missing."""
    marks = file_stamps(shelf, name)  # before the digests: a later change shows as a difference
    opened = shelf.open(name)
    seal, place = opened.seal, opened.path
    if seal.kind is not Kind.SNAPSHOT or seal.terms["model"] != NAME:
        raise Broken("credit-files.pointer-dossiers-names-something-else")
    keys, offsets, text = (map_bytes(place / file) for file in (SUBJECTS_FILE, OFFSETS_FILE, DOSSIERS_FILE))
    if len(keys) // KEY_BYTES + 1 != len(offsets) // OFFSET_BYTES or len(keys) % KEY_BYTES:
        raise Broken("credit-files.dossiers-files-different-lengths")
    return CreditFiles(
        seal.id, str(seal.terms["release"]), date.fromisoformat(seal.terms["as_of"]), seal.expires_on,
        bool(seal.terms["invented"]), int(seal.terms.get("notice", 0)),
        json.loads((place / INDEX_FILE).read_bytes()), marks, KeyIndex(keys), offsets, text,
    )  # fmt: skip


class CreditFileRegistry:
    """The dossiers in use: watched on the shelf and swapped whole; like the library's books they fail closed."""

    def __init__(
        self, shelf: Shelf, pseudonyms: PseudonymKey | None, freshness_days: int, shared: CoordinationDb | None = None
    ) -> None:
        """Empty until `refresh` has run. Without the key of the purpose inquiry nothing is ever found."""
        self.withheld = Suppression(shelf, INQUIRY, shared)
        self._shelf, self._pseudonyms, self._freshness = shelf, pseudonyms, freshness_days
        self._slot: CreditFiles | CreditError = Missing("credit-files.no-dossiers-made-yet")
        self._seen: object = None

    def refresh(self) -> CreditFiles | None:
        """Look at the pointer and the files once; gives the dossiers newly put in use. Never raises."""
        self.withheld.refresh()  # first: whoever is named in it is so before newer dossiers lift it
        try:
            pointed = self._shelf.pointer(POINTER, SIGNERS)
            if pointed is None:
                return None
            seen = (pointed, file_stamps(self._shelf, str(pointed["snapshot"])))
            if seen == self._seen:
                return None
            self._seen = seen
            self._slot = opened = open_credit_files(self._shelf, str(pointed["snapshot"]))
        except CreditError as fault:
            self._close(fault)
            return None
        except (OSError, ValueError, KeyError, TypeError) as fault:  # a file of another form than agreed
            self._close(Broken("credit-files.dossiers-cannot-be-read", why=Text.verbatim(type(fault).__name__)))
            return None
        log.event("dossiers.opened", snapshot=opened.snapshot)
        return opened

    def _close(self, fault: CreditError) -> None:
        if str(self._slot) != str(fault):
            log.event("dossiers.closed", level=logging.ERROR, fault=str(fault))
        self._slot = fault

    def open(self, day: date) -> CreditFiles:
        """The dossiers, fit to answer on `day`. Raises Lapsed when there are none or they are too old."""
        held, remedy = self._slot, Text.of("credit-files.make-them")
        if self._pseudonyms is None:
            raise Lapsed("credit-files.inquiries-not-in-service", remedy=remedy)
        if not isinstance(held, CreditFiles):
            raise Lapsed("credit-files.inquiries-not-in-service", why=held.message, remedy=remedy) from held
        if day > (last := held.valid_until(self._freshness)):
            raise Lapsed("credit-files.dossiers-stale", remedy=remedy, as_of=held.as_of, last=last)
        return held

    def find(self, dossiers: CreditFiles, uscc: str) -> CreditFile | None:
        """A subject's dossier by its code. Raises Lapsed while the subject is withheld."""
        if self._pseudonyms is None:
            return None
        key = self._pseudonyms.key_of(uscc)
        self.withheld.require(key.hex, dossiers.notice)
        return dossiers.find(key.raw)

    def state(self, day: date) -> dict[str, str]:
        """For readiness: which dossiers, or what is wrong with them."""
        try:
            held = self.open(day)
        except Lapsed as fault:
            return {"fault": str(fault)}
        if (failed := self.withheld.fault) is not None:
            return {"fault": str(failed)}
        return {"snapshot": held.snapshot, "as_of": held.as_of.isoformat()}

    async def watch(self, every: float, announce: Callable[[CreditFiles], Awaitable[None]]) -> None:
        """Refresh every so many seconds for ever, off the event loop, and announce what is put in use."""
        while True:
            opened = await asyncio.to_thread(self.refresh)
            if opened is not None:
                await announce(opened)
            await asyncio.sleep(every)
