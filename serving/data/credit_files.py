"""Credit files (信用档案): public records by subject, sealed and made by `models.snapshots.credit_files`.

The files are verified, memory-mapped and replaced as a whole. No database is opened, and only the one credit file
that is read is parsed. Ledger entries, pointers and the HTTP API call them `dossiers`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import mmap
import threading
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
from serving.store.store import Store

NAME, POINTER, SIGNERS = "dossiers", "snapshot-dossiers", {"platform"}
CreditFile = Mapping[
    str, list[list[Any]]
]  # table -> records: day it happened, end of publication, values of the columns


@dataclass(frozen=True, slots=True)
class CreditFiles:
    """The records of every subject on a day. They never change and are only replaced."""

    snapshot: str
    release: str
    as_of: date
    expires_on: date  # the first day on which they may not answer
    invented: bool
    notice_number: int  # number of the newest suppression notice that they already respect
    tables: Mapping[str, Any] = field(repr=False)  # table -> the release's description of it, with its columns in order
    stamps: FileStamps = field(repr=False)
    _rows: KeyIndex = field(repr=False)
    _offsets: bytes | mmap.mmap = field(repr=False)
    _text: bytes | mmap.mmap = field(repr=False)

    def find(self, key: bytes) -> CreditFile | None:
        """The credit file of a subject key (16 bytes); None when nothing is recorded of the subject."""
        row = self._rows.row_of(key)
        if row is None:
            return None
        start, end = (
            int.from_bytes(self._offsets[place * OFFSET_BYTES : (place + 1) * OFFSET_BYTES], OFFSET_ORDER)
            for place in (row, row + 1)
        )
        credit_file: CreditFile = json.loads(self._text[start:end])
        return credit_file

    def valid_until(self, freshness_days: int) -> date:
        """The last day on which they may answer."""
        return last_valid_day(self.as_of, self.expires_on, freshness_days)


def open_credit_files(shelf: Shelf, name: str) -> CreditFiles:
    """Open the seal `name`, verify every digest, and map the files.

    Raises Broken when the seal or its files do not match, and Missing when it is not on the shelf.
    """
    stamps = file_stamps(
        shelf, name
    )  # read before the digests are verified, so that a later change shows as a difference
    opened = shelf.open(name)
    seal, folder = opened.seal, opened.path
    if seal.kind is not Kind.SNAPSHOT or seal.terms["model"] != NAME:
        raise Broken("credit-files.pointer-dossiers-names-something-else")
    keys, offsets, text = (map_bytes(folder / file) for file in (SUBJECTS_FILE, OFFSETS_FILE, DOSSIERS_FILE))
    if len(keys) // KEY_BYTES + 1 != len(offsets) // OFFSET_BYTES or len(keys) % KEY_BYTES:
        raise Broken("credit-files.dossiers-files-different-lengths")
    return CreditFiles(
        seal.id, str(seal.terms["release"]), date.fromisoformat(seal.terms["as_of"]), seal.expires_on,
        bool(seal.terms["invented"]), int(seal.terms.get("notice", 0)),
        json.loads((folder / INDEX_FILE).read_bytes()), stamps, KeyIndex(keys), offsets, text,
    )  # fmt: skip


class CreditFileRegistry:
    """The credit files in use: watched on the shelf and replaced as a whole. They fail closed like the snapshots."""

    def __init__(
        self, shelf: Shelf, pseudonyms: PseudonymKey | None, freshness_days: int, shared: Store | None = None
    ) -> None:
        """Empty until `refresh` has run. Without the pseudonym key of the purpose inquiry no subject is found."""
        self.suppression = Suppression(shelf, INQUIRY, shared)
        self._shelf, self._pseudonyms, self._freshness = shelf, pseudonyms, freshness_days
        self._slot: CreditFiles | CreditError = Missing("credit-files.no-dossiers-made-yet")
        self._stamps: object = None
        self._reading = threading.Lock()

    def refresh(self) -> CreditFiles | None:
        """Read the pointer and the file stamps once; gives the credit files newly put in use. Never raises.

        A second caller waits for the first, and then finds in use what that one has opened.
        """
        with self._reading:
            self.suppression.refresh()  # before newer credit files end a suppression
            return self._refresh()

    def _refresh(self) -> CreditFiles | None:
        try:
            pointer = self._shelf.pointer(POINTER, SIGNERS)
            if pointer is None:
                return None
            stamps = (pointer, file_stamps(self._shelf, str(pointer["snapshot"])))
            if stamps == self._stamps:
                return None
            self._stamps = stamps
            self._slot = opened = open_credit_files(self._shelf, str(pointer["snapshot"]))
        except CreditError as fault:
            self._close(fault)
            return None
        except (OSError, ValueError, KeyError, TypeError) as fault:  # a file does not have the agreed format
            self._close(Broken("credit-files.dossiers-cannot-be-read", why=Text.verbatim(type(fault).__name__)))
            return None
        log.event("dossiers.opened", snapshot=opened.snapshot)
        return opened

    def _close(self, fault: CreditError) -> None:
        if str(self._slot) != str(fault):
            log.event("dossiers.closed", level=logging.ERROR, fault=str(fault))
        self._slot = fault

    def open(self, day: date) -> CreditFiles:
        """The credit files, fit to answer on `day`. Raises Lapsed when there are none or they are too old."""
        current, remedy = self._slot, Text.of("credit-files.make-them")
        if self._pseudonyms is None:
            raise Lapsed("credit-files.inquiries-not-in-service", remedy=remedy)
        if not isinstance(current, CreditFiles):
            raise Lapsed("credit-files.inquiries-not-in-service", why=current.message, remedy=remedy) from current
        if day > (last_day := current.valid_until(self._freshness)):
            raise Lapsed("credit-files.dossiers-stale", remedy=remedy, as_of=current.as_of, last_day=last_day)
        return current

    def find(self, dossiers: CreditFiles, uscc: str) -> CreditFile | None:
        """A subject's credit file by its code; None when nothing is recorded.

        Raises BeingReevaluated or Lapsed as `Suppression.require`.
        """
        if self._pseudonyms is None:
            return None
        key = self._pseudonyms.key_of(uscc)
        self.suppression.require(key.hex, dossiers.notice_number)
        return dossiers.find(key.raw)

    def state(self, day: date) -> dict[str, str]:
        """For readiness: the credit files in use, or the fault."""
        try:
            credit_files = self.open(day)
        except Lapsed as fault:
            return {"fault": str(fault)}
        if (suppression_fault := self.suppression.fault) is not None:
            return {"fault": str(suppression_fault)}
        return {"snapshot": credit_files.snapshot, "as_of": credit_files.as_of.isoformat()}

    async def watch(self, every: float, announce: Callable[[CreditFiles], Awaitable[None]]) -> None:
        """Refresh every so many seconds, off the event loop, until cancelled; announce what is put in use."""
        while True:
            opened = await asyncio.to_thread(self.refresh)
            if opened is not None:
                await announce(opened)
            await asyncio.sleep(every)
