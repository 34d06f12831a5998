"""The tree models of the versions that serve live scores, read from the shelf at first use.

Requests that arrive in one turn of the event loop are scored together, up to eight at a time: eight rows cost little
more than four alone. The rest waits for the next turn.
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

MAX_VERSIONS = 4  # versions whose trees stay in memory
OnScored = Callable[[ScoreValues | Exception], object]
WaitingRow = tuple[NDArray[np.float64], OnScored]


class ScorerCache:
    """One scorer per version; when there are too many, the one loaded first is dropped."""

    def __init__(self, shelf: Shelf) -> None:
        """Nothing is loaded yet."""
        self._shelf = shelf
        self._tasks: dict[str, asyncio.Task[Scorer]] = {}
        self._waiting: dict[str, list[WaitingRow]] = {}

    async def scorer_of(self, version: str) -> Scorer:
        """The version's scorer, loaded off the event loop, once for all who wait. Raises Broken, Malformed, Missing."""
        return await asyncio.shield(self._task(version))

    async def score(self, version: str, features: NDArray[np.float64]) -> ScoreValues:
        """The values of features (F,), scored with every other request of this turn.

        Raises as `scorer_of` and `scored_values`.
        """
        await self.scorer_of(version)
        future: asyncio.Future[ScoreValues] = asyncio.get_running_loop().create_future()

        def on_scored(scored: ScoreValues | Exception) -> None:
            if future.done():  # the request may have been cancelled
                return
            future.set_exception(scored) if isinstance(scored, Exception) else future.set_result(scored)

        self.submit(version, features, on_scored)
        return await future

    def submit(self, version: str, features: NDArray[np.float64], on_scored: OnScored) -> None:
        """Score features (F,) and call `on_scored` later with the values or the error.

        Raises Lapsed when the trees are not loaded.
        """
        task = self._tasks.get(version)
        if task is None or not task.done():
            raise Lapsed("live-scorers.version-trees-not-read-yet")
        waiting = self._waiting.get(version)
        if waiting is None:
            waiting = self._waiting[version] = []
            asyncio.get_running_loop().call_soon(self._score_waiting, version, task.result())
        waiting.append((features, on_scored))

    def _score_waiting(self, version: str, scorer: Scorer, previous: int = 0) -> None:
        """Score the rows that wait; wait one more turn as long as each turn adds rows and fewer than eight wait."""
        waiting, loop = self._waiting[version], asyncio.get_running_loop()
        if previous < len(waiting) < AT_ONCE:
            loop.call_soon(self._score_waiting, version, scorer, len(waiting))
            return
        waiting, rest = waiting[:AT_ONCE], waiting[AT_ONCE:]
        if rest:
            self._waiting[version] = rest
            loop.call_soon(self._score_waiting, version, scorer)
        else:
            del self._waiting[version]
        if not _deliver_scores(scorer, waiting):
            for each in waiting:  # score each row alone, so that one bad row fails no other
                _deliver_scores(scorer, [each])

    def warm(self, version: str) -> None:
        """Load a version that begins to serve, so that its first live score need not wait for its trees.

        Nothing is loaded where no live score was requested before: a home that serves none does not pay for the
        trees.
        """
        if self._tasks:
            self._task(version)

    def _task(self, version: str) -> asyncio.Task[Scorer]:
        task = self._tasks.get(version)
        if task is None:
            while len(self._tasks) >= MAX_VERSIONS:
                self._tasks.pop(next(iter(self._tasks))).cancel()
            task = self._tasks[version] = asyncio.create_task(asyncio.to_thread(self._load, version))
            task.add_done_callback(lambda done: self._forget(version, done))
        return task

    def _forget(self, version: str, task: asyncio.Task[Scorer]) -> None:
        """Drop a load that failed or was cancelled, so that the next request tries again."""
        if (task.cancelled() or task.exception() is not None) and self._tasks.get(version) is task:
            del self._tasks[version]

    def _load(self, version: str) -> Scorer:
        return Scorer.load(self._shelf.open(version).path)


def _deliver_scores(scorer: Scorer, waiting: list[WaitingRow]) -> bool:
    """Score these rows together and deliver the values.

    An error is delivered to a row that is alone; with several rows it gives False and delivers nothing.
    """
    try:
        results = scored_values(scorer, np.stack([features for features, _ in waiting]))
    except Exception as fault:
        if len(waiting) > 1:
            return False
        waiting[0][1](fault)
        return True
    for (_, on_scored), result in zip(waiting, results, strict=True):
        on_scored(result)
    return True
