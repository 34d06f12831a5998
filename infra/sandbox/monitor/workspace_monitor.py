"""The monitor of one workspace's files: the mounts of each of its kernels are watched from their first moment.

A process is known by the namespace of pids that it was born in, which neither a fork, a new session nor another uid
leaves. So a read is of the kernel whose process made it, also where that process got the open file from another kernel,
and whatever either of them says. An open file, and a folder, lead through the mounts of the kernel that opened them,
and these last as long as anyone has it: so the monitor is that of the workspace, and ends when no kernel is left.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from infra.sandbox.bubblewrap import INSIDE_HOME
from infra.sandbox.monitor.fanotify import Fanotify, Moment, Question
from infra.sandbox.monitor.kernel_records import KernelRecords

DATA = "/data"


@dataclass(slots=True)
class TableFiles:
    """The tables that a workspace's kernels see, by the device and inode of each of their files.

    ``folders`` maps a folder of this machine to its table; without one, each file in it is a table, by its name before
    the ending, also a file that is added later. ``places`` are their mounts in the sandbox.
    """

    folders: dict[Path, str]
    places: tuple[str, ...]
    _tables: dict[tuple[int, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in self.folders:
            self._look(folder)

    def name(self, status: os.stat_result) -> str:
        """The table of a file; empty for a file of no table."""
        key = (status.st_dev, status.st_ino)
        if key not in self._tables:
            for folder, table in self.folders.items():
                if not table:
                    self._look(folder)
        return self._tables.get(key, "")

    def _look(self, folder: Path) -> None:
        for entry in os.scandir(folder):
            status = entry.stat()
            self._tables[status.st_dev, status.st_ino] = self.folders[folder] or Path(entry.name).stem


@dataclass(slots=True)
class WorkspaceMonitor:
    """Answers every question about the files of one workspace's kernels, in a thread of its own. Made by :meth:`open`.

    When it ends by an error it ends the kernels: the machine would then permit everything, unseen.
    """

    tables: TableFiles
    group: Fanotify
    _kernels: dict[int, tuple[int, KernelRecords]] = field(default_factory=dict)  # by namespace: first pid, records
    _ended: bool = False
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, tables: TableFiles) -> WorkspaceMonitor:
        """A monitor that runs; raises :class:`OSError` where the machine permits none."""
        group = Fanotify.open()
        if group is None:
            raise OSError("the machine permits no monitor of reads any more")
        monitor = cls(tables, group)
        threading.Thread(target=monitor._run, name="reads of a workspace", daemon=True).start()
        return monitor

    def watch(self, first: int, records: KernelRecords) -> None:
        """Watch the mounts of the sandbox whose first process is ``first``, which has not run its program yet.

        Raises :class:`OSError` where the mounts cannot be watched, and when the monitor has ended.
        """
        namespace = _namespace_of(first)
        with self._turn:
            if self._ended:
                raise OSError("the monitor of reads has ended")
            self._kernels[namespace] = (first, records)
        root = Path(f"/proc/{first}/root")
        for place in self.tables.places:
            self.group.watch(root / place.lstrip("/"), Moment.OPEN | Moment.CONTENT)
        self.group.watch(root / INSIDE_HOME.lstrip("/"), Moment.OPEN)

    def forget(self, records: KernelRecords) -> None:
        """Forget a kernel of whose sandbox no process is left; its mounts stay watched as long as they last."""
        with self._turn:
            self._kernels = {each: kernel for each, kernel in self._kernels.items() if kernel[1] is not records}

    def end(self) -> None:
        """End it, when no kernel is left."""
        with self._turn:
            if not self._ended:
                self._ended = True
                self.group.end()

    def _run(self) -> None:
        try:
            for question in self.group.questions():
                self.group.answer(question, allow=self._recorded(question))
        finally:
            with self._turn:
                if not self._ended:  # by an error of ours, and without a monitor no kernel runs
                    self._ended = True
                    for first, _ in self._kernels.values():
                        with suppress(ProcessLookupError):
                            os.kill(first, signal.SIGKILL)
                self.group.close()

    def _recorded(self, question: Question) -> bool:
        """True when the question may be answered with yes: it is recorded, or needs no record.

        A thread that is of no kernel of this workspace, as one that has been killed meanwhile, gets nothing.
        """
        try:
            with self._turn:
                _, records = self._kernels[_namespace_of(question.thread)]
            table = self.tables.name(os.fstat(question.fd))
            if table:
                records.read(table)
            elif question.moment & Moment.OPEN:
                name = os.readlink(f"/proc/self/fd/{question.fd}")
                if not name.startswith(f"{DATA}/"):
                    records.open_file(question.fd, name)
        except (OSError, KeyError):
            return False
        return True


def available() -> bool:
    """True where the machine permits a monitor."""
    group = Fanotify.open()
    if group is None:
        return False
    group.close()
    return True


def places_of(names: Iterable[str]) -> tuple[str, ...]:
    """The mounts of tables with these names below /data."""
    return tuple(f"{DATA}/{name}" for name in names)


def _namespace_of(pid: int) -> int:
    return os.stat(f"/proc/{pid}/ns/pid").st_ino
