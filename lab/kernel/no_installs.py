"""``pip`` in a workspace: the answer to a person who would install a package, as a magic and as a command of a shell.

A workspace has no network, so an installation would fail with words about addresses that cannot be reached.
"""

from __future__ import annotations

import sys
from typing import Any

from credit.errors import Refused
from credit.messages import language_here

TOOLS = ("pip", "uv", "conda", "mamba", "micromamba")


def refuse(line: str) -> None:
    """Raise :class:`Refused` with what to do instead."""
    raise Refused("no-installs.nothing-installed")


def install(shell: Any) -> None:
    """Replace the magics of an IPython shell that install packages."""
    for name in TOOLS:
        shell.register_magic_function(refuse, "line", name)


def hint_of(error: ModuleNotFoundError) -> str:
    """What to do about a module that is not there; empty for a part of one that is."""
    name = str(error.name or "")
    if not name or name.partition(".")[0] in sys.modules:
        return ""
    return Refused("no-installs.not-installed", name=name[:60]).in_language(language_here())


if __name__ == "__main__":
    try:
        refuse("")
    except Refused as refused:
        sys.exit(refused.in_language(language_here()))
