"""A socket in a folder of its own: bound while nobody else gets in, then opened to one user and one group.

Folders are mounted into sandboxes, not sockets (a restart replaces the file and its inode), and belong to us: who is
let in can connect, and cannot put another socket, or a link, in its place.
"""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from credit.errors import Malformed

NAME = "gateway.sock"
LONGEST = 107  # bytes of a unix socket's path, unix(7)


@dataclass(frozen=True, slots=True)
class Door:
    """Where a socket is and who may connect. Without root nothing is given away: mode 0600, our own user."""

    folder: Path
    uid: int | None = None
    gid: int | None = None
    own_folder: bool = True  # False: the folder holds other things too, and stays as it is

    @property
    def path(self) -> Path:
        """The socket."""
        return self.folder / NAME

    def open(self) -> socket.socket:
        """Bind and listen, in place of a socket left behind; raises :class:`Malformed` when the path is too long."""
        if len(os.fsencode(self.path)) > LONGEST:
            raise Malformed("socket-folder.socket-path-too-long", os_count=len(os.fsencode(self.path)), longest=LONGEST)
        if self.own_folder:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            os.chmod(self.folder, 0o700)
        self.path.unlink(missing_ok=True)
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        before = os.umask(0o177)
        try:
            bound.bind(str(self.path))
        finally:
            os.umask(before)
        given = os.geteuid() == 0 and self.uid is not None and self.gid is not None
        os.chmod(self.path, 0o660 if given else 0o600)
        if given:
            assert self.uid is not None
            assert self.gid is not None
            os.chown(self.path, self.uid, self.gid)
            os.chown(self.folder, 0, self.gid)
            os.chmod(self.folder, 0o710)
        return bound

    def shut(self) -> None:
        """Take the socket away; the folder stays, as it may be mounted."""
        self.path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Take socket and folder away."""
        self.shut()
        with contextlib.suppress(OSError):
            self.folder.rmdir()
