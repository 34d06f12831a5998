"""The trees of the versions that live scores are asked of, read from the shelf when first needed."""

from __future__ import annotations

import asyncio

from credit.shelf import Shelf
from models.scorer import Scorer

MOST = 4  # versions whose trees are held


class Scorers:
    """One scorer a version, the oldest left out when there are too many."""

    def __init__(self, shelf: Shelf) -> None:
        """None yet."""
        self._shelf = shelf
        self._held: dict[str, asyncio.Task[Scorer]] = {}

    async def of(self, version: str) -> Scorer:
        """The version's scorer; read off the event loop, once however many ask. Raises Broken, Malformed, Missing."""
        return await asyncio.shield(self._task(version))

    def warm(self, version: str) -> None:
        """Read a version that begins to serve, so that the first live score of it need not wait for its trees.

        Only where live scores were asked for before: who never does should not pay for the trees.
        """
        if self._held:
            self._task(version)

    def _task(self, version: str) -> asyncio.Task[Scorer]:
        task = self._held.get(version)
        if task is None:
            while len(self._held) >= MOST:
                self._held.pop(next(iter(self._held))).cancel()
            task = self._held[version] = asyncio.create_task(asyncio.to_thread(self._load, version))
            task.add_done_callback(lambda done: self._forget(version, done))
        return task

    def _forget(self, version: str, done: asyncio.Task[Scorer]) -> None:
        """What failed is tried again when it is next asked for."""
        if (done.cancelled() or done.exception() is not None) and self._held.get(version) is done:
            del self._held[version]

    def _load(self, version: str) -> Scorer:
        return Scorer.load(self._shelf.open(version).path)
