"""The arguments of a request that may name a subject: in a file that ends with the request, never in a ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from credit.canonical import canonical, digest
from credit.errors import Broken, Missing
from credit.files import write_atomically
from credit.requests.request import Request

READABLE = 0o640  # by the group of the zones


def write_private_arguments(folder: Path, request_id: str, arguments: dict[str, Any]) -> str:
    """Write the arguments of a request down and return their digest; nothing for none."""
    if not arguments:
        return ""
    content = canonical(arguments)
    write_atomically(folder / f"{request_id}.json", content, mode=READABLE)
    return digest(content)


def read_private_arguments(folder: Path, request: Request) -> dict[str, Any]:
    """The private arguments of a request.

    Raises :class:`Missing` when they are there no more, :class:`Broken` when they are not those that the desk wrote.
    """
    if not request.private:
        return {}
    path = folder / f"{request.id}.json"
    if not path.exists():
        raise Missing("private-arguments.gone")
    content = path.read_bytes()
    if digest(content) != request.private:
        raise Broken("private-arguments.changed")
    arguments: dict[str, Any] = json.loads(content)
    return arguments


def remove_private_arguments(folder: Path, request_id: str) -> None:
    """Forget the private arguments of a request that has ended."""
    (folder / f"{request_id}.json").unlink(missing_ok=True)
