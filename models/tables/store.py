"""What was given (已发布的单元集合): the contents of every released table, kept by compute for all later judgements.

A file a table in compute's own folder, named by the digest of its content, which is in the ledger entry of the table;
a file that is missing or changed is refused, since a table judged without it could be subtracted from it. The key that
makes unit numbers and decides roundings is there too, and its digest in the ledger. Both are readable by compute alone.
"""

from __future__ import annotations

import fcntl
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from credit.actor import Actor, Role
from credit.canonical import digest
from credit.errors import Broken, Refused
from credit.files import write_atomically
from credit.ledger import Entry, Ledger, LookUp
from credit.order_requests import TABLE
from models.tables.cells.contents import CellContents

KEY_MADE, KEY = "table-key.made", "table-key"
COMPUTE = Actor("compute", Role.SERVICE)
PATIENCE = 600.0  # seconds to wait for another table that is judged at this moment


@dataclass(frozen=True, slots=True)
class GivenTables:
    """The tables that were given; ``folder`` is compute's own, ``ledger`` too."""

    folder: Path
    ledger: Ledger

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Judge and give one table at a time; raises :class:`Refused` when another takes too long."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        limit = time.monotonic() + PATIENCE
        with (self.folder / ".lock").open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as error:
                    if time.monotonic() > limit:
                        raise Refused("tables.another-is-judged") from error
                    time.sleep(0.05)
            yield

    def key(self) -> bytes:
        """The key (32 bytes) of unit numbers and roundings, made at first use. Raises :class:`Broken` when it is not
        the one in the ledger: with another key no one could say which units were given before."""
        made = [entry for entry in self.ledger.about(KEY) if entry.verb == KEY_MADE]
        path = self.folder / "key"
        if not made:
            key = path.read_bytes() if path.is_file() else secrets.token_bytes(32)  # a kill came before the entry
            write_atomically(path, key, mode=0o600)
            self.ledger.append(KEY_MADE, KEY, by=COMPUTE, details={"digest": digest(key)})
            return key
        key = path.read_bytes() if path.is_file() else b""
        if digest(key) != made[0].details["digest"]:
            raise Broken("tables.key-changed")
        return key

    def of_order(self, order: str) -> str:
        """The id of the table that was made of an order; empty before."""
        made = (entry.object for entry in self._made() if order and entry.details.get("order") == order)
        return next(made, "")

    def of(self, author: str, project: str) -> list[CellContents]:
        """The contents of every table that the author or the project was given, the oldest first.

        Raises :class:`Broken` when one of them is missing or is not the one in the ledger.
        """
        digests = dict.fromkeys(
            str(entry.details["contents"])
            for entry in self._made()
            if entry.by.name == author or entry.details.get("project") == project
        )
        return [self._load(each) for each in digests]

    def keep(self, contents: CellContents) -> str:
        """Keep the contents of a table that is about to be given, and return their digest."""
        content = contents.as_bytes()
        name = digest(content)
        write_atomically(self._path(name), content, mode=0o600)
        return name

    def _load(self, name: str) -> CellContents:
        try:
            content = self._path(name).read_bytes()
        except OSError as error:
            raise Broken("tables.contents-gone") from error
        if digest(content) != name:
            raise Broken("tables.contents-changed")
        return CellContents.read(content)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.npz"

    def _made(self) -> Iterator[Entry]:
        return self.ledger.find(LookUp(verb=TABLE.made))
