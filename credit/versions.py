"""The model version (模型版本) that a name means: one rule for the command line and the platform."""

from __future__ import annotations

from credit.errors import Missing
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf


def require_version(shelf: Shelf, name: str) -> OpenedSeal:
    """A version by its id, or the version of a model that was made last.

    Every file is verified. Raises :class:`Missing`.
    """
    if name.startswith("version-"):
        return shelf.open(name)
    versions = [seal for seal in shelf.list(Kind.VERSION) if seal.terms.get("model") == name]
    if not versions:
        raise Missing("seals.no-version-on-shelf", name=name)
    return shelf.open(versions[-1].id)
