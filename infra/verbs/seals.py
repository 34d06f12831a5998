"""How a verb finds the seal it works on, and who acts unless told otherwise."""

from __future__ import annotations

from typing import Annotated

import typer

from credit import releases
from credit.actor import Actor, Role
from credit.errors import Missing
from credit.seal import Kind
from credit.shelf import Opened
from infra.home import Home

ALICE, BOB = Actor("alice", Role.RESEARCHER), Actor("bob", Role.PLATFORM)
Model = Annotated[str, typer.Argument(help="A model (its newest version) or the id of a version.")]


def release_of(home: Home, purpose: str, name: str = "") -> Opened:
    """The release of this name, or the one in use for a purpose; every file verified. Raises :class:`Missing`."""
    found = home.shelf.open(name) if name else releases.newest(home.shelf, purpose, deep=True)
    if found is None:
        raise Missing("seals.no-release-for-on-shelf", purpose=purpose)
    return found


def version_of(home: Home, name: str) -> Opened:
    """A version by id, or of a model the one made last: of two, the later is the one its maker means to go on with.

    Every file is verified. Raises :class:`Missing`.
    """
    if name.startswith("version-"):
        return home.shelf.open(name)
    found = [seal for seal in home.shelf.list(Kind.VERSION) if seal.terms.get("model") == name]
    if not found:
        raise Missing("seals.no-version-on-shelf", name=name)
    return home.shelf.open(found[-1].id)
