"""Suppression: the subjects about whom no answer may be given for now, as custody's signed notices list them.

It fails closed. A notice that another zone signed, that was removed, or that is older than one already read (also
before a restart) stops every answer of its purpose, since the subjects to suppress are then not known. The caller
does not learn that a record was repaired, since that is not public (不公开).
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from credit.errors import Broken, CreditError, Lapsed
from credit.messages import Text
from credit.shelf import Shelf
from credit.suppression import Notice, pointer_of
from serving.errors import BeingReevaluated
from serving.observability import log
from serving.store.newest_pointer import newest_number
from serving.store.store import Store, open_store
from serving.store.transaction import StoreUnavailable

FileStamp = tuple[int, int, int] | None


class Suppression:
    """The notices of one purpose."""

    def __init__(self, shelf: Shelf, purpose: str, shared: Store | None = None) -> None:
        """No notice is known until `refresh` has run.

        Without `shared` the newest number is kept in this process alone.
        """
        self._shelf, self._purpose, self._shared = shelf, purpose, shared or open_store()
        self._path: Path = shelf.root / "pointers" / f"{pointer_of(purpose)}.json"
        self._notice: Notice | CreditError = Lapsed("suppression.no-notice-withholding-looked-for")
        self._seen: object = ()
        self._reading = threading.Lock()

    def refresh(self) -> None:
        """Read the notice once if its file has changed, one caller after the other. Never raises.

        What a shortage prevented from being read closes the answers, and is read again at the next call.
        """
        with self._reading:
            self._refresh()

    def _refresh(self) -> None:
        try:
            seen = _mark(self._path)
            if seen == self._seen:
                return
            self._seen, notice = (), Notice.read(self._shelf, self._purpose)
            self._require_newest(notice.number)
        except StoreUnavailable as fault:
            self._close(fault)
        except CreditError as fault:
            self._seen = seen
            self._close(fault)
        except OSError as fault:
            self._close(
                Broken("suppression.notices-withholding-cannot-be-read", why=Text.verbatim(type(fault).__name__))
            )
        else:
            self._seen, self._notice = seen, notice
            log.event("withheld.heard", purpose=self._purpose, number=notice.number)

    @property
    def fault(self) -> CreditError | None:
        """The reason why the notices cannot be relied on; None when they can."""
        return None if isinstance(self._notice, Notice) else self._notice

    def require(self, key: str, through: int) -> None:
        """Check one subject (`key`: 32 hex digits) against the newest notice.

        `through` is the number of the newest notice that the data of the answer already respect. Raises
        BeingReevaluated for a suppressed subject whose data are older than the notice that lists it, and Lapsed when
        suppression cannot be determined.
        """
        notice = self._notice
        if not isinstance(notice, Notice):
            raise Lapsed("suppression.nothing-answered-now", why=notice.message) from notice
        if notice.suppresses(key, through):
            raise BeingReevaluated
        if through > notice.number:
            raise Lapsed("suppression.nothing-answered-now-notices-older-than")

    def _require_newest(self, number: int) -> None:
        newest = newest_number(self._shared, pointer_of(self._purpose), number)
        if newest > number:
            raise Broken("suppression.older-notice-withholding-put-back", newest=newest, number=number)

    def _close(self, fault: CreditError) -> None:
        self._notice = fault
        log.event("withheld.failed", level=logging.ERROR, purpose=self._purpose, fault=str(fault))


def _mark(path: Path) -> FileStamp:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
