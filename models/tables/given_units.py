"""What was given (已发布的单元集合): the units behind every table and every order's evidence, one history for both.

One file for each in compute's own folder, named by the digest of its content, which is in a ledger entry; a file that
is missing or changed is refused, since what is judged without it could be subtracted from it. The key that makes unit
numbers and decides roundings is there too, and its digest in the ledger. Both are readable by compute alone.
"""

from __future__ import annotations

import fcntl
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from credit.actor import Actor, Role
from credit.canonical import digest
from credit.errors import Broken, Refused
from credit.files import write_atomically
from credit.ledger import Entry, Ledger, LookUp
from credit.order_requests import TABLE
from models.tables.cells.contents import CellContents
from models.tables.earlier_order_sets import SETS, contents_of_sets

KEY_MADE, KEY = "table-key.made", "table-key"
COUNTED = "training.counted"  # the subjects of an order's evidence, entered before it is trained
CONTENTS, PROJECT = "contents", "project"  # of an entry's details
COMPUTE = Actor("compute", Role.SERVICE)
PATIENCE = 600.0  # seconds to wait for another table or order that is judged at this moment


@dataclass(frozen=True, slots=True)
class Given:
    """One table, or the evidence of one order: the details of its ledger entry, and its contents."""

    verb: str
    details: Mapping[str, Any]
    contents: CellContents


@dataclass(frozen=True, slots=True)
class GivenUnits:
    """The tables and orders that were answered; ``folder`` is compute's own, ``ledger`` too.

    ``old_orders`` is the folder of the sets of orders that were answered before tables and orders had one history.
    """

    folder: Path
    ledger: Ledger
    old_orders: Path | None = None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Judge and enter one table or order at a time; raises :class:`Refused` when another takes too long."""
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
        made = self.ledger.find(LookUp(verb=TABLE.made))
        return next((entry.object for entry in made if order and entry.details.get("order") == order), "")

    def of(self, author: str, project: str, subjects: NDArray[Any]) -> list[Given]:
        """All that the author or the project was given, the oldest first, each content once.

        ``subjects`` are the pseudonyms that are judged now, in which units of orders of the old form are recognised.
        Raises :class:`Broken` when one of them is missing or is not the one in the ledger.
        """
        near = {
            str(entry.details[name]): (name, entry)
            for name, entry in self._entries()
            if entry.by.name == author or self._is_of_project(entry, project)
        }
        key = self.key()
        return [
            Given(entry.verb, entry.details, self._load(content, name, subjects, key))
            for content, (name, entry) in near.items()
        ]

    def keep(self, contents: CellContents) -> str:
        """Keep the contents of what is about to be given, and return their digest."""
        content = contents.as_bytes()
        name = digest(content)
        write_atomically(self.folder / f"{name}.npz", content, mode=0o600)
        return name

    def _load(self, content: str, name: str, subjects: NDArray[Any], key: bytes) -> CellContents:
        folder = self.folder if name == CONTENTS else self.old_orders
        try:
            read = (folder / f"{content}.npz").read_bytes() if folder is not None else b""
        except OSError as error:
            raise Broken("tables.contents-gone") from error
        if digest(read) != content:
            raise Broken("tables.contents-changed")
        return CellContents.read(read) if name == CONTENTS else contents_of_sets(read, subjects, key)

    @staticmethod
    def _is_of_project(entry: Entry, project: str) -> bool:
        """Tables without a project are one project; orders without one, which the platform places, are not."""
        return bool(project or entry.verb == TABLE.made) and entry.details.get(PROJECT, "") == project

    def _entries(self) -> Iterator[tuple[str, Entry]]:
        """The name of the digest in its details, and the entry, of all that was given, the oldest first."""
        entries = [
            (name, entry)
            for verb, name in ((TABLE.made, CONTENTS), (COUNTED, CONTENTS), ("version.made", SETS))
            for entry in self.ledger.find(LookUp(verb=verb))
            if name in entry.details
        ]
        yield from sorted(entries, key=lambda each: each[1].seq)
