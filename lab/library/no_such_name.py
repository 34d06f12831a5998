"""``lab.catalog``, for one, is no function of the library: the error says so in words, with the nearest name."""

from __future__ import annotations

from collections.abc import Iterable

from credit.errors import Missing
from models.features.feature_sql import hint


class NoSuchName(Missing, AttributeError):
    """A name that ``lab`` does not have. It is an AttributeError too, so that ``hasattr`` and imports work."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__("arguments.no-such-name", remedy=hint(name, known), name=name[:40])
        self.name = name
