"""An answer that is in the ledger and that nobody got: its process was killed before it could remember or send it.

Whoever asks again under the same idempotency key gets that very answer, made again, under its own entry. When it cannot
be made again (another snapshot, another last day, a salt that is lost), the call is answered as a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from credit.actor import Actor
from credit.entry import Entry
from serving.calls import Call, Desk
from serving.ledger.records import Recorder

Handle = Callable[[Desk, Call, bytes], Awaitable[bytes]]


class Another(Exception):
    """What would be answered now is another answer."""


class Given(Recorder):
    """Stands where the ledger's writer does: it gives the entry that is there, to the answer it is of alone."""

    def __init__(self, entry: Entry) -> None:
        """No thread and no file: nothing is written."""
        self._entry = entry

    async def record(self, verb: str, thing: str, *, by: Actor, because: Mapping[str, Any]) -> Entry:
        """The entry. Raises Another."""
        held = self._entry
        if (verb, thing, by, because.get("digest")) != (held.verb, held.object, held.by, held.because.get("digest")):
            raise Another
        return held


async def resume(desk: Desk, call: Call, body: bytes, handle: Handle) -> tuple[bytes | None, bool]:
    """The answer that was recorded under the call's id, None when there is none, and whether the id is still free.

    Raises whatever `handle` does: a mandate that was taken back meanwhile opens nothing.
    """
    entries = await asyncio.to_thread(desk.journal.lines_about, call.id)
    given = next((entry for entry in entries if "digest" in entry.because), None)
    if given is None:
        return None, not entries
    try:
        return await handle(replace(desk, recorder=Given(given)), call, body), False
    except Another:
        return None, False
