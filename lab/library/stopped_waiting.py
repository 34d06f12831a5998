"""What an interruption (Ctrl-C, the stop button) of a wait becomes: words instead of Python's stack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from credit.errors import Refused


class StoppedWaiting(KeyboardInterrupt):
    """The person stopped waiting, and what was waited for goes on; ``words`` say so, and how to come back to it.

    It is still an interruption: a loop that catches every :class:`Exception` ends by it.
    """

    def __init__(self, words: Refused) -> None:
        super().__init__(str(words))
        self.words = words


@contextmanager
def stop_in_words(words: Refused) -> Iterator[None]:
    """Raise :class:`StoppedWaiting` with these words when the block is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedWaiting(words) from None
