"""Progress: a bar in a terminal, a plain line now and then elsewhere, nothing when nobody asked."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

PLAIN_EVERY = 5.0  # seconds between two lines of one label where there is no terminal


class Told(Protocol):
    """What long work calls: what it is at, how much is done, of how much (0: unknown)."""

    def __call__(self, label: str, done: int, total: int) -> None: ...


@contextmanager
def progress() -> Iterator[Told]:
    """Give a function to tell progress to; what it shows goes to standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain()
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        tasks = {}

        def told(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bar.add_task(label, total=total or None)
            bar.update(tasks[label], completed=done, total=total or None)

        yield told


def _plain() -> Told:
    last: dict[str, float] = {}

    def told(label: str, done: int, total: int) -> None:
        now = time.monotonic()
        if label not in last or now - last[label] >= PLAIN_EVERY or (total and done >= total):
            last[label] = now
            counted = f": {done}{f' of {total}' if total else ''}" if done or total else ""
            sys.stderr.write(f"  {label}{counted}\n")
            sys.stderr.flush()

    return told
