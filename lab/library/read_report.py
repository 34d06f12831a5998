"""The report of the tables that a cell read: a message to the trusted server next to the cell's output, not shown.

After each cell the kernel sends a message ``lab_tables_read`` on its IOPub channel, with the cell's request as parent
and ``{"tables": [...]}`` as content. Front ends ignore unknown messages; the server uses it where the
machine has no read monitor. It comes from the kernel and proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MESSAGE = "lab_tables_read"
_read: set[str] = set()


def add(tables: Iterable[str]) -> None:
    """Add tables to the report of the running cell."""
    _read.update(tables)


def take() -> list[str]:
    """The tables read since the last call, sorted; the report is empty afterwards."""
    tables = sorted(_read)
    _read.clear()
    return tables


def send_report(shell: Any) -> None:
    """Send the tables read on the kernel's IOPub channel; sends nothing without tables or outside a kernel."""
    kernel, tables = getattr(shell, "kernel", None), take()
    if kernel is not None and tables:
        parent = kernel.get_parent("shell")
        topic = f"kernel.{MESSAGE}".encode()
        kernel.session.send(kernel.iopub_socket, MESSAGE, {"tables": tables}, parent=parent, ident=topic)
