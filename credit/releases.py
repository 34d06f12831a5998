"""The release (数据发布) of a purpose, and the practice tables (练习数据), that are in use: one rule for every zone."""

from __future__ import annotations

from datetime import date, datetime

from credit.errors import Missing
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf


def releases_of_purpose(shelf: Shelf, purpose: str) -> list[Seal]:
    """The releases made for a purpose, ordered by :func:`recency`: by the day of their data, the latest last.

    Of two releases of the same day, the one without repaired records comes after the one that it amends.
    """
    releases = [seal for seal in shelf.list(Kind.RELEASE) if seal.terms.get("purpose") == purpose]
    return sorted(releases, key=recency)


def recency(release: Seal) -> tuple[str, int, datetime, str]:
    """The sort key of releases of one purpose: day of the data, number of the repair notice, time made, id."""
    return str(release.terms.get("as_of", "")), int(release.terms.get("notice", 0)), release.made_at, release.id


def newest_release(shelf: Shelf, purpose: str, today: date | None = None, *, deep: bool = False) -> OpenedSeal | None:
    """The newest release of a purpose, or None.

    Only releases that have not expired on ``today`` count, unless ``today`` is None. The newest release is the one
    whose data are of the latest day, not the one that was made last: a release of an older day that is made again (to
    repeat a training, or without a repaired record) does not move the lab back to that day.

    Its signature is verified, and with ``deep`` the digest of every file. Raises :class:`~credit.errors.Broken`.
    """
    releases = [seal for seal in releases_of_purpose(shelf, purpose) if today is None or today < seal.expires_on]
    return shelf.open(releases[-1].id, deep=deep) if releases else None


def newest_practice(shelf: Shelf, today: date | None = None) -> OpenedSeal | None:
    """The newest practice tables, or None: of the latest day, and of that day those made last.

    Only those that have not expired on ``today`` count, unless ``today`` is None. The signature is verified. Raises
    :class:`~credit.errors.Broken`.
    """
    made = [seal for seal in shelf.list(Kind.PRACTICE) if today is None or today < seal.expires_on]
    return shelf.open(max(made, key=recency).id, deep=False) if made else None


def require_release(shelf: Shelf, purpose: str, name: str = "") -> OpenedSeal:
    """The release of this name, or the newest of a purpose; every file verified. Raises :class:`Missing`."""
    opened = shelf.open(name) if name else newest_release(shelf, purpose, deep=True)
    if opened is None:
        raise Missing("seals.no-release-for-on-shelf", purpose=purpose)
    return opened
