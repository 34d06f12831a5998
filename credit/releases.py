"""Which release (数据发布) of a purpose is in use: the one choice that hub, gateway, console and set-up must share."""

from __future__ import annotations

from datetime import date, datetime

from credit.seal import Kind, Seal
from credit.shelf import Opened, Shelf


def of_purpose(shelf: Shelf, purpose: str) -> list[Seal]:
    """The releases made for a purpose, from the least to the most recent day they are seen as of.

    Of one day the one without what was repaired since comes after the one it amends.
    """
    found = [seal for seal in shelf.list(Kind.RELEASE) if seal.terms.get("purpose") == purpose]
    return sorted(found, key=lambda seal: recency(seal))


def recency(release: Seal) -> tuple[str, int, datetime, str]:
    """What orders releases of one purpose."""
    return str(release.terms.get("as_of", "")), int(release.terms.get("notice", 0)), release.made_at, release.id


def newest(shelf: Shelf, purpose: str, today: date | None = None, *, deep: bool = False) -> Opened | None:
    """The newest release of a purpose that has not ended by ``today`` (None: ended or not); None when there is none.

    Newest is the one seen as of the latest day, and not the one made last: who makes a release of an older day again
    (to repeat a training, or without a repaired record) does not turn the lab back to that day.

    Its signature is verified, and its files are digested again when ``deep``. Raises :class:`~credit.errors.Broken`.
    """
    found = [seal for seal in of_purpose(shelf, purpose) if today is None or today < seal.expires_on]
    return shelf.open(found[-1].id, deep=deep) if found else None
