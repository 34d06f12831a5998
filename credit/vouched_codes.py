"""Codes that a register vouches for although a check character is wrong: a list, as data (``vouched_codes.yaml``)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from credit.errors import Malformed
from credit.fields import require_keys

LIST = Path(__file__).with_suffix(".yaml")
_KEYS = {"code", "register", "confirmed_on"}


@cache
def vouched_codes(path: Path = LIST) -> frozenset[str]:
    """The codes of the list.

    Raises :class:`Malformed` for an entry without its register and day, and for a code that is listed twice.
    """
    entries = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["codes"] or []
    for entry in entries:
        require_keys(entry, known=_KEYS, needed=_KEYS, where=path.name)
    codes = [str(entry["code"]) for entry in entries]
    if len(set(codes)) != len(codes):
        raise Malformed("vouched-codes.twice", where=path.name)
    return frozenset(codes)
