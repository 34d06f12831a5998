"""The platform's signed pointers to what the service answers from."""

from __future__ import annotations

from datetime import date
from typing import Any

from credit.keys import SigningKey
from credit.seal import Kind, Seal
from credit.shelf import Shelf

DOSSIERS = "dossiers"


def point_snapshot(shelf: Shelf, seal: Seal, *, key: SigningKey) -> dict[str, Any]:
    """Set the platform's signed pointer for a model to this snapshot, from which the service then answers."""
    pointer = {name: seal.terms[name] for name in ("model", "version", "as_of")}
    return shelf.set_pointer(f"snapshot-{pointer['model']}", pointer | {"snapshot": seal.id}, key)


def newest_snapshot(shelf: Shelf, version: str, day: date) -> Seal | None:
    """The newest snapshot of a version that has not ended on a day; None without one."""
    made = [
        seal for seal in shelf.list(Kind.SNAPSHOT) if seal.terms.get("version") == version and day < seal.expires_on
    ]
    return max(made, key=lambda seal: (str(seal.terms["as_of"]), seal.made_at), default=None)


def point_dossiers(shelf: Shelf, seal: Seal, *, key: SigningKey) -> dict[str, Any]:
    """Set the platform's signed pointer to these dossiers, from which inquiries are then answered."""
    pointer = {"model": DOSSIERS, "as_of": seal.terms["as_of"], "snapshot": seal.id}
    return shelf.set_pointer(f"snapshot-{DOSSIERS}", pointer, key)
