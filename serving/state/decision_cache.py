"""What was found good once and need not be judged again until something changed: bounded, and emptied at a change."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class DecisionCache(Generic[Key, Value]):
    """At most `most` values; the oldest leaves first. Only what was *allowed* is kept: a refusal is judged each time.

    `generation` stands for all that the values rest on; another generation than the last one seen empties the whole,
    so what was revoked is revoked at once.
    """

    def __init__(self, most: int) -> None:
        """Empty."""
        self._most = most
        self._generation: object = None
        self._held: dict[Key, Value] = {}

    def get(self, key: Key, generation: object = None) -> Value | None:
        """The value, or None when there is none of this generation."""
        if generation != self._generation:
            self._held.clear()
            self._generation = generation
            return None
        return self._held.get(key)

    def put(self, key: Key, value: Value, generation: object = None) -> None:
        """Keep a value that was judged under `generation`, unless another has begun since."""
        if generation != self._generation:
            return
        while len(self._held) >= self._most:
            del self._held[next(iter(self._held))]
        self._held[key] = value

    def forget(self, key: Key) -> None:
        """Drop one value."""
        self._held.pop(key, None)

    def __len__(self) -> int:
        return len(self._held)
