"""How a verb finds the seal that it works on."""

from __future__ import annotations

from credit import releases
from credit.errors import Missing
from credit.seal import Kind
from credit.shelf import OpenedSeal
from infra.home import Home


def release_of(home: Home, purpose: str, name: str = "") -> OpenedSeal:
    """The release of this name, or the one in use for a purpose; every file verified. Raises :class:`Missing`."""
    opened = home.shelf.open(name) if name else releases.newest_release(home.shelf, purpose, deep=True)
    if opened is None:
        raise Missing("seals.no-release-for-on-shelf", purpose=purpose)
    return opened


def version_of(home: Home, name: str) -> OpenedSeal:
    """A version by its id, or the version of a model that was made last.

    Every file is verified. Raises :class:`Missing`.
    """
    if name.startswith("version-"):
        return home.shelf.open(name)
    versions = [seal for seal in home.shelf.list(Kind.VERSION) if seal.terms.get("model") == name]
    if not versions:
        raise Missing("seals.no-version-on-shelf", name=name)
    return home.shelf.open(versions[-1].id)
