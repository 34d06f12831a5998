"""The model version (模型版本) that a name means: one rule for the command line, the console and the platform.

Where something leaves or is shown, a model's name means its champion (:func:`require_champion`). Where a version is on
its way into production, it means the one that was made last (:func:`require_version`). An id means itself in both.
"""

from __future__ import annotations

from credit.errors import Missing
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf

CHAMPION = "champion-"  # the names of the platform's pointers to champions begin so
POINTS = {"platform"}  # the zone that signs them


def require_version(shelf: Shelf, name: str) -> OpenedSeal:
    """A version by its id, or the version of a model that was made last.

    Every file is verified. Raises :class:`Missing`.
    """
    if name.startswith(f"{Kind.VERSION}-"):
        return shelf.open(name)
    versions = [seal for seal in shelf.list(Kind.VERSION) if seal.terms.get("model") == name]
    if not versions:
        raise Missing("seals.no-version-on-shelf", name=name)
    return shelf.open(versions[-1].id)


def require_champion(shelf: Shelf, name: str) -> OpenedSeal:
    """A version by its id, or the champion of a model.

    Every file is verified. Raises :class:`Missing`, also for a model of which no version was promoted.
    """
    if name.startswith(f"{Kind.VERSION}-"):
        return shelf.open(name)
    champion = champion_of(shelf, name)
    if not champion:
        raise Missing("seals.no-champion", name=name)
    return shelf.open(champion)


def champion_of(shelf: Shelf, model: str) -> str:
    """The id of the version of a model that is in production; empty without one.

    Raises :class:`~credit.errors.Broken` for a pointer that does not verify.
    """
    pointer = shelf.pointer(f"{CHAMPION}{model}", POINTS)
    return "" if pointer is None else str(pointer["version"])
