"""What a list of trainings shows of each: the title of its order, and of its version the AUC and the parameters.

All of it is in the order, which its author wrote, and in the evidence and the card, which the notebook has anyway.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from credit.canonical import digest
from credit.errors import Broken, CreditError
from credit.shelf import OpenedSeal, Shelf

Summary = tuple[str, dict[str, float] | None, dict[str, Any]]


def summary(shelf: Shelf, order: str, version: str) -> Summary:
    """The title, ``{auc, low, high}`` or None, and the parameters of the trees; empty for what was swept."""
    title = _title(shelf, order)
    return (title, *_measured(shelf, version)) if version else (title, None, {})


def file_of(opened: OpenedSeal, name: str) -> bytes:
    """A file of a version; raises :class:`Broken` when it was changed. What was read stays in memory."""
    return _read(str(opened.path / name), opened.seal.files[name])


@lru_cache(maxsize=256)
def _read(path: str, wanted: str) -> bytes:
    content = Path(path).read_bytes()
    if digest(content) != wanted:
        raise Broken("orders.version-file-changed")
    return content


def _title(shelf: Shelf, order: str) -> str:
    try:
        return str(shelf.open(order, deep=False).seal.terms["title"])
    except (CreditError, KeyError):
        return ""


def _measured(shelf: Shelf, version: str) -> tuple[dict[str, float] | None, dict[str, Any]]:
    try:
        opened = shelf.open(version, deep=False)
        evidence = json.loads(file_of(opened, "evidence.json"))
        recipe = json.loads(file_of(opened, "version.json"))["training"]["recipe"]
        auc = {"auc": evidence["auc"], "low": evidence["auc_low"], "high": evidence["auc_high"]}
    except (CreditError, OSError, ValueError, KeyError, TypeError):
        return None, {}  # it was swept, or is older than this
    return auc, {name: value for name, value in recipe.items() if isinstance(value, int | float | str)}
