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
        task = self._held.get(version)
        if task is None:
            while len(self._held) >= MOST:
                self._held.pop(next(iter(self._held))).cancel()
            task = self._held[version] = asyncio.create_task(asyncio.to_thread(self._load, version))
        try:
            return await asyncio.shield(task)
        except Exception:
            self._held.pop(version, None)
            raise

    def _load(self, version: str) -> Scorer:
        return Scorer.load(self._shelf.open(version).path)
