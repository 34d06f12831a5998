"""Questions of the machine's kernel whether a file may be opened or read (``fanotify(7)``); it takes CAP_SYS_ADMIN.

Who opens or reads a file waits until its question is answered. The answer comes from us, so no opening is missed,
however short-lived the process is. ``fanotify_init(2)``, ``fanotify_mark(2)``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

_CLOEXEC, _NONBLOCK, _PRE_CONTENT, _THREAD = 0x1, 0x2, 0x8, 0x100
_ADD, _MOUNT = 0x1, 0x10
_ALLOW, _DENY = 0x1, 0x2
_EVENT = struct.Struct("=IBBHQii")  # fanotify_event_metadata: length, version, reserved, header, mask, fd, thread
_ANSWER = struct.Struct("=iI")  # fanotify_response: fd, what we say to it
_AT_FDCWD = -100
MOST_FAILURES = 1000  # events in a row that cannot be read: something else is wrong than single files


class Moment(IntFlag):
    """What a question is about. ``CONTENT`` is each read and mapping into memory (Linux 6.14), ``READ`` each read."""

    OPEN = 0x10000
    READ = 0x20000
    CONTENT = 0x100000


@dataclass(frozen=True, slots=True)
class Question:
    """May the thread open or read the file? ``fd`` is open for us to look at it; ``thread`` as this process sees it."""

    fd: int
    thread: int
    moment: Moment


@dataclass(frozen=True, slots=True)
class Fanotify:
    """A group of watched mounts. When it is closed, or its process ends, the machine permits everything again."""

    fd: int
    stop: int  # an eventfd that ends :meth:`questions`

    @classmethod
    def open(cls) -> Fanotify | None:
        """A new group without a mount; None where the machine does not permit one."""
        libc = ctypes.CDLL(None, use_errno=True)
        how = os.O_RDONLY | os.O_CLOEXEC | os.O_LARGEFILE | os.O_NONBLOCK  # a pipe in a home must not make us wait
        fd = libc.fanotify_init(_CLOEXEC | _NONBLOCK | _PRE_CONTENT | _THREAD, how)
        return cls(fd, os.eventfd(0, os.EFD_CLOEXEC)) if fd >= 0 else None

    def watch(self, place: Path, moment: Moment) -> Moment:
        """Ask about every file below the mount that ``place`` lies on; what its questions are about.

        Where the machine or the file system knows no CONTENT, it is READ. Raises :class:`OSError`.
        """
        for wanted in (moment, moment & ~Moment.CONTENT | Moment.READ) if moment & Moment.CONTENT else (moment,):
            libc = ctypes.CDLL(None, use_errno=True)
            mask = ctypes.c_uint64(int(wanted))
            if libc.fanotify_mark(self.fd, _ADD | _MOUNT, mask, _AT_FDCWD, os.fsencode(place)) == 0:
                return wanted
        raise OSError(ctypes.get_errno(), f"{place.name} cannot be watched")

    def questions(self) -> Iterator[Question]:
        """Every question until :meth:`end`; each must be answered.

        A file that cannot be opened by anyone, such as a socket, is none: the machine itself says no.
        """
        poll, failed = select.poll(), 0
        for fd in (self.fd, self.stop):
            poll.register(fd, select.POLLIN)
        while all(fd != self.stop for fd, _ in poll.poll()):
            try:
                events, at, failed = os.read(self.fd, 64 * 1024), 0, 0
            except OSError as error:
                failed += 1
                if error.errno == errno.EBADF or failed > MOST_FAILURES:
                    raise
                continue
            while at + _EVENT.size <= len(events):
                length, _, _, _, mask, fd, thread = _EVENT.unpack_from(events, at)
                at += length
                if fd >= 0:  # else the queue overflowed, and no process waits
                    yield Question(fd, thread, Moment(mask & int(Moment.OPEN | Moment.READ | Moment.CONTENT)))

    def end(self) -> None:
        """End :meth:`questions`, in whichever thread it runs."""
        os.eventfd_write(self.stop, 1)

    def close(self) -> None:
        """Close the group: every mount is without a watch again."""
        os.close(self.fd)
        os.close(self.stop)

    def answer(self, question: Question, *, allow: bool) -> None:
        """Let the thread go on, or give it EPERM."""
        os.write(self.fd, _ANSWER.pack(question.fd, _ALLOW if allow else _DENY))
        os.close(question.fd)


def sees_mappings(folder: Path = Path("/tmp")) -> bool | None:
    """Whether a mapping of an open file is a question here (CONTENT); None where nothing can be watched at all."""
    group = Fanotify.open()
    if group is None:
        return None
    try:
        return bool(_tried(group, folder) & Moment.CONTENT)
    except OSError:
        return None
    finally:
        group.close()


def _tried(group: Fanotify, folder: Path) -> Moment:
    """Watch one file that no process else knows, for a moment."""
    libc = ctypes.CDLL(None, use_errno=True)
    file = folder / f".haihe-{os.getpid()}-{group.fd}"
    file.touch(mode=0o600)
    try:
        for moment in (Moment.OPEN | Moment.CONTENT, Moment.OPEN | Moment.READ):
            mask = ctypes.c_uint64(int(moment))
            if libc.fanotify_mark(group.fd, _ADD, mask, _AT_FDCWD, os.fsencode(file)) == 0:
                return moment
    finally:
        file.unlink()
    raise OSError(ctypes.get_errno(), "nothing can be watched")
