"""Progress of long work on standard error: a bar in a terminal, elsewhere a plain line at least every five seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from infra.language.texts import localized, translated, visible

PLAIN_EVERY = 5.0  # seconds: between two lines of one label, and the longest silence of work that goes on


class ReportProgress(Protocol):
    """What long work calls: the label of its step, how many are done, of how many (0: unknown).

    The label is English; it is shown in the language of the shell, as ``infra/language/zh.po`` has it.
    """

    def __call__(self, label: str, done: int, total: int) -> None: ...


@contextmanager
def progress() -> Iterator[ReportProgress]:
    """Give a function to report progress to; what it shows goes to standard error."""
    with _bar() if sys.stderr.isatty() else _lines() as report:
        yield report


@contextmanager
def _bar() -> Iterator[ReportProgress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from infra.output import safe

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {}

        def report(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bar.add_task(safe(translated(label)), total=total or None)
            bar.update(tasks[label], completed=done, total=total or None)

        yield report


@dataclass(slots=True)
class PlainLines:
    """Lines for a pipe or a log. ``every`` is in seconds; a thread repeats the newest line when none was due."""

    every: float = PLAIN_EVERY
    _newest: tuple[str, int, int] = ("", 0, 0)
    _printed: dict[str, float] = field(default_factory=dict)  # label -> when its last line was printed
    _last: float = 0.0  # when any line was printed
    _began: float = field(default_factory=time.monotonic)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)

    def report(self, label: str, done: int, total: int) -> None:
        """Print a line for a new label, for the last of a count, and otherwise once in ``every`` seconds."""
        now = time.monotonic()
        with self._turn:
            self._newest = (label, done, total)
            due = label not in self._printed or now - self._printed[label] >= self.every
            if due or (total and done >= total):
                self._print(now)

    def repeat(self) -> None:
        """Until :meth:`end`: print the newest line again whenever nothing was printed for ``every`` seconds."""
        while not self._ended.wait(max(0.01, self._last + self.every - time.monotonic()) if self._last else self.every):
            now = time.monotonic()
            with self._turn:
                if self._newest[0] and now - self._last >= self.every:
                    self._print(now, is_repeated=True)

    def end(self) -> None:
        """Stop repeating."""
        self._ended.set()

    def _print(self, now: float, *, is_repeated: bool = False) -> None:
        label, done, total = self._newest
        counted = (
            f": {localized('cli.progress.of', done=done, total=total) if total else done}" if done or total else ""
        )
        if is_repeated and total and done >= total:  # the next step has not reported yet
            counted += localized("cli.progress.still-working")
        seconds = now - self._began
        elapsed = f" ({seconds:.0f} s)" if seconds >= self.every else ""
        self._printed[label] = self._last = now
        sys.stderr.write(f"  {visible(translated(label))}{counted}{elapsed}\n")
        sys.stderr.flush()


@contextmanager
def _lines() -> Iterator[ReportProgress]:
    lines = PlainLines(PLAIN_EVERY)
    repeating = threading.Thread(target=lines.repeat, name="progress", daemon=True)
    repeating.start()
    try:
        yield lines.report
    finally:
        lines.end()
        repeating.join()
