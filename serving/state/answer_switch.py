"""Whether the service answers (停止应答与恢复应答): a signed pointer of the platform, which every process follows.

The pointer is on the shelf, so it reaches every process of every machine. A pointer that cannot be verified, that was
removed, or that an older one replaced stops the answers, also after a restart, since the store remembers the newest
one: only the platform starts them.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from credit.errors import CreditError, Lapsed, Malformed
from credit.keys import SigningKey
from credit.messages import Text
from credit.shelf import Shelf
from credit.uscc import Uscc
from serving.observability import log
from serving.store.newest_pointer import newest_number
from serving.store.store import Store
from serving.store.transaction import StoreUnavailable

POINTER, SETTERS = "answers", frozenset({"platform"})
STOPPED, STARTED = "answers.stopped", "answers.started"  # the verbs in the ledgers, and the types of the webhooks
CHECK_SECONDS = 0.2  # between two looks at the pointer: well within the second that a stop may take
LONGEST_REASON = 200  # characters
OPEN_PATHS = frozenset({"/live", "/ready", "/metrics", "/openapi.json", "/.well-known/jwks.json"})
_NEVER_READ, _CODE_LENGTH = object(), 18
_RUN = re.compile(r"[0-9A-Za-z]{18,}")


class AnswersStopped(Lapsed):
    """The platform has stopped all answers (HTTP 503)."""

    slug = "answers-stopped"


class AnswerSwitch:
    """The state of one process: `fault` is what every request is refused with, or None while the service answers."""

    def __init__(self, shelf: Shelf, store: Store) -> None:
        """Nothing is answered before `refresh` has run once. The store remembers the newest pointer followed."""
        self._shelf, self._store = shelf, store
        self._path = shelf.root / "pointers" / f"{POINTER}.json"
        self._stamp: object = _NEVER_READ
        self._looking = threading.Lock()
        self.fault: CreditError | None = AnswersStopped("answer-switch.not-readable")

    def refresh(self) -> Mapping[str, Any] | None:
        """Look at the pointer once; gives it when it is one that was not followed before. Never raises.

        It may wait for the store: call it in a thread.
        """
        with self._looking:
            return self._refresh()

    def _refresh(self) -> Mapping[str, Any] | None:
        try:
            status = os.stat(self._path)
            stamp: object = (status.st_mtime_ns, status.st_ino, status.st_size)
        except FileNotFoundError:
            stamp = None
        except OSError:
            return None  # a shortage or a disk that is away: the state stays as it is, and the next look is soon
        if stamp == self._stamp:
            return None
        try:
            pointer = read_switch(self._shelf)
            number = int(pointer["sequence"]) if pointer else 0
            reason = str(pointer["why"]) if pointer and pointer["stopped"] is not False else None
            if reason is not None:  # at once: the store may be slow or away, and an old stop stops too
                self.fault = _stopped_for(reason)
            if number < newest_number(self._store, POINTER, number):
                raise AnswersStopped("answer-switch.not-readable")
        except (OSError, StoreUnavailable):
            return None
        except (CreditError, KeyError, TypeError, ValueError):
            self._stamp, self.fault = stamp, AnswersStopped("answer-switch.not-readable")
            return None
        self._stamp = stamp
        self.fault = None if reason is None else _stopped_for(reason)
        return pointer

    async def watch(self, announce: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
        """Look again and again until cancelled, and announce each pointer that is followed from then on.

        One that cannot be announced (the store is away) is announced later: the next stop is followed in any case.
        """
        followed: Mapping[str, Any] | None = None
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            followed = await asyncio.to_thread(self.refresh) or followed
            if followed is not None:
                try:
                    await announce(followed)
                    followed = None
                except Exception as fault:
                    log.event("switch.not-announced", level=log.ERROR, fault=type(fault).__name__)


def _stopped_for(reason: str) -> AnswersStopped:
    return AnswersStopped("answer-switch.stopped", why=Text.verbatim(reason))


def is_open(path: str) -> bool:
    """Whether a path is answered also while answers are stopped: probes, keys and the reference concern no subject."""
    return path in OPEN_PATHS or path == "/docs" or path.startswith("/docs/")


def read_switch(shelf: Shelf) -> dict[str, Any] | None:
    """The platform's pointer, or None when answers were never stopped. Raises Broken."""
    return shelf.pointer(POINTER, SETTERS)


def check_reason(reason: str) -> str:
    """The words that banks will read. Raises Malformed for none, for too many, or for a subject's code among them."""
    words = " ".join(reason.split())
    if not words or len(words) > LONGEST_REASON or _contains_code(words):
        raise Malformed("answer-switch.not-a-reason", longest=LONGEST_REASON)
    return words


def _contains_code(text: str) -> bool:
    runs = [run[0] for run in _RUN.finditer(text)]
    return any(_is_code(run[at : at + _CODE_LENGTH]) for run in runs for at in range(len(run) - _CODE_LENGTH + 1))


def _is_code(text: str) -> bool:
    try:
        Uscc.parse(text)
    except Malformed:
        return False
    return True


def check_change(shelf: Shelf, *, stop: bool, request: str) -> bool:
    """Whether the switch is still to be set for this request: not when a step that was cut off has set it already.

    Raises Malformed when answers are to be started that are not stopped.
    """
    current = read_switch(shelf)
    if current is not None and current["request"] == request:
        return False
    if not stop and not (current and current["stopped"]):
        raise Malformed("answer-switch.not-stopped")
    return True


def set_switch(shelf: Shelf, key: SigningKey, *, stop: bool, reason: str, request: str) -> None:
    """Stop the answers, or start them again; record it in the platform's ledger first."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    shelf.set_pointer(POINTER, {"stopped": stop, "why": reason, "request": request, "at": at}, key)
