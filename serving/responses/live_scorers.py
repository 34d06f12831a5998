"""The trees of the versions that live scores are asked of, read from the shelf when first needed.

Whoever asks in one turn of the event loop is scored together, eight at a time, which cost little more than four alone:
what is left over waits for who comes meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from credit.errors import Lapsed
from credit.shelf import Shelf
from models.scoring.scorer import AT_ONCE, Scorer
from serving.responses.score_values import ScoreValues, scored_values

MAX_VERSIONS = 4  # versions whose trees are held
OnScored = Callable[[ScoreValues | Exception], object]
WaitingRow = tuple[NDArray[np.float64], OnScored]


class ScorerCache:
    """One scorer a version, the oldest left out when there are too many."""

    def __init__(self, shelf: Shelf) -> None:
        """None yet."""
        self._shelf = shelf
        self._held: dict[str, asyncio.Task[Scorer]] = {}
        self._waiting: dict[str, list[WaitingRow]] = {}

    async def scorer_of(self, version: str) -> Scorer:
        """The version's scorer; read off the event loop, once however many ask. Raises Broken, Malformed, Missing."""
        return await asyncio.shield(self._task(version))

    async def score(self, version: str, features: NDArray[np.float64]) -> ScoreValues:
        """What the version says of features (F,), with all others who ask in this turn. Raises as `of` and `many`."""
        await self.scorer_of(version)
        answer: asyncio.Future[ScoreValues] = asyncio.get_running_loop().create_future()

        def hear(told: ScoreValues | Exception) -> None:
            if answer.done():  # whoever asked may have gone
                return
            answer.set_exception(told) if isinstance(told, Exception) else answer.set_result(told)

        self.submit(version, features, hear)
        return await answer

    def submit(self, version: str, features: NDArray[np.float64], hear: OnScored) -> None:
        """The same for somebody who is told later, with the fault if there is one. Raises Lapsed: not read yet."""
        task = self._held.get(version)
        if task is None or not task.done():
            raise Lapsed("live-scorers.version-trees-not-read-yet")
        waiting = self._waiting.get(version)
        if waiting is None:
            waiting = self._waiting[version] = []
            asyncio.get_running_loop().call_soon(self._score_waiting, version, task.result())
        waiting.append((features, hear))

    def _score_waiting(self, version: str, scorer: Scorer, before: int = 0) -> None:
        """Score who waits; but as long as a turn brings another, and they are not eight, let one more turn pass."""
        waiting, loop = self._waiting[version], asyncio.get_running_loop()
        if before < len(waiting) < AT_ONCE:
            loop.call_soon(self._score_waiting, version, scorer, len(waiting))
            return
        waiting, left = waiting[:AT_ONCE], waiting[AT_ONCE:]
        if left:
            self._waiting[version] = left
            loop.call_soon(self._score_waiting, version, scorer)
        else:
            del self._waiting[version]
        if not _deliver_scores(scorer, waiting):
            for one in waiting:  # nobody goes without an answer for what is wrong with another's
                _deliver_scores(scorer, [one])

    def warm(self, version: str) -> None:
        """Read a version that begins to serve, so that the first live score of it need not wait for its trees.

        Only where live scores were asked for before: who never does should not pay for the trees.
        """
        if self._held:
            self._task(version)

    def _task(self, version: str) -> asyncio.Task[Scorer]:
        task = self._held.get(version)
        if task is None:
            while len(self._held) >= MAX_VERSIONS:
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


def _deliver_scores(scorer: Scorer, waiting: list[WaitingRow]) -> bool:
    """Tell those who wait; one alone is told also of a fault, several are not told then."""
    try:
        answers = scored_values(scorer, np.stack([features for features, _ in waiting]))
    except Exception as fault:
        if len(waiting) > 1:
            return False
        waiting[0][1](fault)
        return True
    for (_, hear), answer in zip(waiting, answers, strict=True):
        hear(answer)
    return True
