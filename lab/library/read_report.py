"""Which tables this cell read: told to the trusted server beside the cell's output, where nothing is shown of it.

After each cell the kernel sends a message ``lab_tables_read`` on its IOPub channel, with the cell's request as parent
and ``{"tables": [...]}`` as content. Front ends ignore a kind they do not know; the server's log reads it where the
machine's own watch cannot say. It is the kernel's word and no proof.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MESSAGE = "lab_tables_read"
_read: set[str] = set()


def note(tables: Iterable[str]) -> None:
    """These were read."""
    _read.update(tables)


def take() -> list[str]:
    """What was read since this was last asked."""
    taken = sorted(_read)
    _read.clear()
    return taken


def announce(shell: Any) -> None:
    """Send what was read, if anything was, on the kernel's IOPub channel; nothing outside a kernel."""
    kernel, tables = getattr(shell, "kernel", None), take()
    if kernel is not None and tables:
        parent = kernel.get_parent("shell")
        topic = f"kernel.{MESSAGE}".encode()
        kernel.session.send(kernel.iopub_socket, MESSAGE, {"tables": tables}, parent=parent, ident=topic)
