"""How many files a bank may send at once: each is read into memory, so the bound comes before the reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from serving.core.request import RequestContext
from serving.errors import Overloaded

MOST, MOST_OF_BANK = 16, 8  # files in the memory of one process; more than two, as one may be sent again under its key


class UploadPlaces:
    """The uploads under way in this process, by bank."""

    def __init__(self, most: int = MOST, most_of_bank: int = MOST_OF_BANK) -> None:
        """No upload is under way; there are places for `most`, and for `most_of_bank` of one bank."""
        self._under_way, self._most, self._most_of_bank = Counter[str](), most, most_of_bank

    @contextmanager
    def reserve(self, call: RequestContext) -> Iterator[None]:
        """A place for one upload until it has ended. Raises Overloaded when there is none."""
        bank = call.by.name
        if self._under_way[bank] >= self._most_of_bank or self._under_way.total() >= self._most:
            raise Overloaded()
        self._under_way[bank] += 1
        try:
            yield
        finally:
            self._under_way[bank] -= 1
