"""The usage rights behind the tables of a release: as custody sealed them in its terms.

A release that was made before rights were sealed has those of the catalogue that its terms name, where that catalogue
has the same text here. Otherwise they are unknown, and an unknown right permits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from credit.catalogue import Catalogue
from credit.errors import Malformed, Missing, Refused
from credit.usage_rights import UsageRight


def rights_of_tables(tables: Iterable[str], terms: Mapping[str, Any]) -> frozenset[UsageRight]:
    """The rights of these tables of a release; raises :class:`Refused` for a table whose right is not known."""
    return frozenset(_right(name, terms) for name in tables)


def _right(name: str, terms: Mapping[str, Any]) -> UsageRight:
    described = terms["tables"].get(name, {})
    if "usage" in described:
        try:
            return UsageRight(described["usage"])
        except ValueError:
            raise Refused("usage-rights.not-stated", table=name) from None
    named = terms.get("catalogue", {})
    return _right_of_catalogue(name, str(named.get("name", "")), str(named.get("version", "")))


@lru_cache(maxsize=256)
def _right_of_catalogue(table: str, name: str, version: str) -> UsageRight:
    try:
        catalogue = Catalogue.load(name) if name else None
        if catalogue is not None and catalogue.version == version:
            return catalogue.table(table).usage
    except (Missing, Malformed):
        pass
    raise Refused("usage-rights.not-stated", table=table)
