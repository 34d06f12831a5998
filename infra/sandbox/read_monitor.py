"""Which tables a workspace really read, as the machine's kernel reports (fanotify), not the notebook's own kernel.

The folders of granted tables are marked, and the project's folder of rows. Each opening of a file there waits until we
have written down whose process it is (the uid is the workspace's), so that none is missed, however short-lived.
``fanotify(7)``, ``fanotify_init(2)``, ``fanotify_mark(2)``; it takes CAP_SYS_ADMIN. Without it only the notebook's own
report is there.
"""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path

_CLOEXEC, _CONTENT, _ADD, _ALLOW = 0x1, 0x4, 0x1, 0x1
_OPEN_PERM, _ON_CHILD = 0x10000, 0x08000000
_EVENT = struct.Struct("=IBBHQii")  # fanotify_event_metadata: length, version, reserved, header, mask, fd, pid
_ANSWER = struct.Struct("=iI")  # fanotify_response: fd, what we say to it
_AT_FDCWD = -100


@dataclass(slots=True)
class ReadMonitor:
    """One monitor for all workspaces of a hub. When its process ends, the kernel permits every opening again."""

    fd: int
    folders: set[Path] = field(default_factory=set)
    growing: set[Path] = field(default_factory=set)  # folders to which files are added
    tables: dict[tuple[int, int], str] = field(default_factory=dict)  # a file's device and inode to its table
    seen: dict[int, set[str]] = field(default_factory=dict)  # uid to tables
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls) -> ReadMonitor | None:
        """A running monitor, or None where the machine does not permit one."""
        libc = ctypes.CDLL(None, use_errno=True)
        fd = libc.fanotify_init(_CLOEXEC | _CONTENT, os.O_RDONLY | os.O_CLOEXEC)
        if fd < 0:
            return None
        watch = cls(fd)
        threading.Thread(target=watch._run, name="reads", daemon=True).start()
        return watch

    def add(self, folder: Path, table: str = "") -> None:
        """Watch a table's folder; its files are those it has now, as a seal never changes.

        Without a table, each file in it is one, by its name before the ending, also a file that is added later. A file
        is known by its inode: its path is another one in a sandbox. A folder watched already stays so.
        """
        if folder in self.folders:
            return
        self.folders.add(folder)
        if not table:
            self.growing.add(folder)
        for path in folder.iterdir():
            status = path.stat()
            self.tables[status.st_dev, status.st_ino] = table or path.stem
        libc = ctypes.CDLL(None, use_errno=True)
        mask = ctypes.c_uint64(_OPEN_PERM | _ON_CHILD)
        if libc.fanotify_mark(self.fd, _ADD, mask, _AT_FDCWD, os.fsencode(folder)) < 0:
            raise OSError(ctypes.get_errno(), f"the folder of {table or 'rows'} cannot be watched")

    def take(self, uid: int) -> list[str]:
        """The tables that processes of this uid opened since the last call."""
        with self._turn:
            return sorted(self.seen.pop(uid, ()))

    def _run(self) -> None:
        try:
            while True:
                events = os.read(self.fd, 64 * 1024)
                at = 0
                while at + _EVENT.size <= len(events):
                    length, _, _, _, _, fd, pid = _EVENT.unpack_from(events, at)
                    at += length
                    if fd >= 0:  # else the queue overflowed, and no process waits
                        self._one(fd, pid)
        finally:
            os.close(self.fd)  # after any error: no process may wait for an answer that never comes

    def _table_of(self, opened: os.stat_result) -> str:
        key = (opened.st_dev, opened.st_ino)
        if key not in self.tables:
            for folder in list(self.growing):
                for entry in os.scandir(folder):  # a folder that is opened is no event
                    status = entry.stat()
                    self.tables[status.st_dev, status.st_ino] = Path(entry.name).stem
        return self.tables.get(key, "")

    def _one(self, fd: int, pid: int) -> None:
        try:
            opened = os.fstat(fd)
            uid = os.stat(f"/proc/{pid}").st_uid
            if uid and (table := self._table_of(opened)):
                with self._turn:
                    self.seen.setdefault(uid, set()).add(table)
        except OSError:
            pass  # the process that opened it was killed meanwhile
        finally:
            os.write(self.fd, _ANSWER.pack(fd, _ALLOW))
            os.close(fd)
