"""Whom nothing is answered about for now: custody's notices, heard within a second, believed when signed and newest.

It fails closed. A notice that another signed, that was taken away, or that is older than one heard before, also before
a restart, stops the answers of its purpose: who was to be withheld is then not known. Who asks is not told of a repair:
that a record was repaired is not public (不公开).
"""

from __future__ import annotations

import logging
from pathlib import Path

from credit.errors import Broken, CreditError, Lapsed
from credit.messages import Text
from credit.shelf import Shelf
from credit.suppression import Notice, pointer_of
from serving.errors import BeingReevaluated
from serving.observability import log
from serving.state.coordination_db import CoordinationDb

FileStamp = tuple[int, int, int] | None


class Suppression:
    """The notices of one purpose."""

    def __init__(self, shelf: Shelf, purpose: str, shared: CoordinationDb | None = None) -> None:
        """Nothing is heard until `refresh` has run. Without `shared` nothing is remembered beyond this process."""
        self._shelf, self._purpose, self._shared = shelf, purpose, shared or CoordinationDb()
        self._path: Path = shelf.root / "pointers" / f"{pointer_of(purpose)}.json"
        self._held: Notice | CreditError = Lapsed("suppression.no-notice-withholding-looked-for")
        self._seen: object = ()

    def refresh(self) -> None:
        """Look once. Never raises."""
        try:
            seen = _mark(self._path)
            if seen == self._seen:
                return
            self._seen, notice = seen, Notice.read(self._shelf, self._purpose)
            self._require_newest(notice.number)
        except CreditError as fault:
            self._close(fault)
        except OSError as fault:
            self._close(
                Broken("suppression.notices-withholding-cannot-be-read", why=Text.verbatim(type(fault).__name__))
            )
        else:
            self._held = notice
            log.event("withheld.heard", purpose=self._purpose, number=notice.number)

    @property
    def fault(self) -> CreditError | None:
        """What is wrong with the notices; None when they can be believed."""
        return None if isinstance(self._held, Notice) else self._held

    def require(self, key: str, through: int) -> None:
        """Raises Anew for a withheld subject (32 hex) unless what would answer goes `through` its notice, Lapsed when
        that cannot be known."""
        held = self._held
        if not isinstance(held, Notice):
            raise Lapsed("suppression.nothing-answered-now", why=held.message) from held
        if held.suppresses(key, through):
            raise BeingReevaluated
        if through > held.number:
            raise Lapsed("suppression.nothing-answered-now-notices-older-than")

    def _require_newest(self, number: int) -> None:
        sql = (
            "INSERT INTO heard (name, number) VALUES (?, ?) ON CONFLICT (name) DO UPDATE "
            "SET number = max(number, excluded.number) RETURNING number"
        )
        heard = self._shared.rows(sql, pointer_of(self._purpose), number)[0][0]
        if heard > number:
            raise Broken("suppression.older-notice-withholding-put-back", heard=heard, number=number)

    def _close(self, fault: CreditError) -> None:
        self._held = fault
        log.event("withheld.failed", level=logging.ERROR, purpose=self._purpose, fault=str(fault))


def _mark(path: Path) -> FileStamp:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
