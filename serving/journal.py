"""The service's ledger, written fast: the very bytes that credit's Ledger writes, at half the cost an entry.

A line is spliced around its signed body instead of being put in order anew; where the ledger ends is remembered as
long as file and head are as this process left them; and in a rush the signed head is written every 50 ms, not at every
write. Entries are durable before they are told all the same. A head that lags is what a killed writer leaves, which
every reader accepts; who could cut lines off behind it could as well put back an older copy of both files.
"""

from __future__ import annotations

import base64
import json
import mmap
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json.encoder import encode_basestring as quoted
from typing import Any

from credit.actor import Actor
from credit.canonical import canonical, digest
from credit.errors import Broken
from credit.ledger import Entry, Ledger

HEAD_SECONDS = 0.05
_Stat = tuple[int, int, int]


@dataclass(slots=True)
class _End:
    """Where the ledger ended after our last write, and what the file system said of its head."""

    size: int = -1
    head: _Stat = (0, 0, 0)
    seq: int = 0
    id: str = ""
    lags: bool = False  # the head is still to be written
    headed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Journal(Ledger):
    """A ledger with a writer that comes often; every other act is :class:`credit.ledger.Ledger`'s own."""

    _end: _End = field(default_factory=_End, repr=False)

    def append_many(self, acts: Sequence[tuple[str, str, Actor, Mapping[str, Any]]]) -> list[Entry]:
        """Add entries in one durable write. Raises Malformed (no key) and Broken as the Ledger's own does."""
        key = self.key
        if key is None:
            return Ledger.append_many(self, acts)  # which says what is missing
        with self._locked() as stream:
            seq, previous = self._place(stream)
            entries, lines, keyid = [], [], quoted(f"{key.zone}:{key.keyid}")
            for verb, thing, by, because in acts:
                seq += 1
                at = datetime.now(UTC)
                first = f'{{"at":"{at.isoformat()}","because":{canonical(because).decode()},"by":{quoted(str(by))},'
                middle = f'"object":{quoted(thing)},"previous":"{previous}","seq":{seq},'
                last = f'"verb":{quoted(verb)}}}'
                body = (first + middle + last).encode()
                name, signature = digest(body), base64.b64encode(key.sign(body)).decode()
                lines.append(f'{first}"id":"{name}","keyid":{keyid},{middle}"sig":"{signature}",{last}\n')
                entries.append(Entry(seq, at, by, verb, thing, because, previous, name))
                previous = name
            stream.seek(0, os.SEEK_END)
            stream.write("".join(lines).encode())
            stream.flush()
            os.fdatasync(stream.fileno())  # the data and the length, which is all that a reader needs
            end = self._end
            end.size, end.seq, end.id, end.lags = stream.tell(), seq, previous, True
            if time.monotonic() - end.headed_at >= HEAD_SECONDS:
                self._head()
        return entries

    def lines_about(self, thing: str) -> list[Entry]:
        """The entries whose object is `thing`, found by its bytes and each verified by its own signature.

        The chain is not walked, so this takes a second for a million entries and not minutes. Raises Broken.
        """
        if not self.path.exists() or not self.path.stat().st_size:
            return []
        wanted, found, at = f'"object":{quoted(thing)},'.encode(), [], -1
        with self.path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            while (at := whole.find(wanted, at + 1)) >= 0:
                end = whole.find(b"\n", at) + 1
                if end:
                    line = whole[whole.rfind(b"\n", 0, at) + 1 : end]
                    told = json.loads(line)
                    if told["object"] == thing:
                        found.append(self._read(line, told["seq"], told["previous"])[0])
        return found

    def settle(self) -> None:
        """Write the head when it lags: for a writer that has nothing else to write just now."""
        if self._end.lags:
            with self._locked() as stream:
                if stream.seek(0, os.SEEK_END) == self._end.size:  # else another wrote since, and a head with it
                    self._head()

    def _head(self) -> None:
        self._write_head(self._end.seq, self._end.id)
        self._end.head, self._end.lags, self._end.headed_at = self._head_stat(), False, time.monotonic()

    def _place(self, stream: Any) -> tuple[int, str]:
        """The last entry, remembered when nobody wrote since, else read and compared with the signed head."""
        end = self._end
        if stream.seek(0, os.SEEK_END) == end.size and self._head_stat() == end.head:
            return end.seq, end.id
        seq, previous = self._tail(stream)
        told = self.head()[0]
        if seq < told:
            raise Broken(
                f"The ledger is broken at line {seq + 1}",
                why=f"it ends at entry {seq}, and its signed head says {told}: lines are missing",
                remedy="Compare with the copy of the last backup",
            )
        return seq, previous

    def _head_stat(self) -> _Stat:
        try:
            told = self._head_path().stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return told.st_ino, told.st_mtime_ns, told.st_size
