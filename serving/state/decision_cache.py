"""A bounded cache of positive decisions, which is emptied whenever the data change that the decisions rest on."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class DecisionCache(Generic[Key, Value]):
    """At most `most` values; the oldest is dropped first. Only *allowed* cases are kept: a refusal is judged each time.

    A `generation` identifies the state of all data that the values rest on. Another generation than the last one
    empties the cache, so a revocation applies at once.
    """

    def __init__(self, most: int) -> None:
        """Start empty."""
        self._most = most
        self._generation: object = None
        self._values: dict[Key, Value] = {}

    def get(self, key: Key, generation: object = None) -> Value | None:
        """The value, or None when there is none of this generation."""
        if generation != self._generation:
            self._values.clear()
            self._generation = generation
            return None
        return self._values.get(key)

    def put(self, key: Key, value: Value, generation: object = None) -> None:
        """Keep a value that was judged under `generation`, unless another one has begun since."""
        if generation != self._generation:
            return
        while len(self._values) >= self._most:
            del self._values[next(iter(self._values))]
        self._values[key] = value

    def forget(self, key: Key) -> None:
        """Drop one value."""
        self._values.pop(key, None)

    def __len__(self) -> int:
        return len(self._values)
