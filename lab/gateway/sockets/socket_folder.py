"""A socket in a folder of its own, bound without access for others and then opened to one user and one group.

Sandboxes mount the folder and not the socket, because a restart replaces the socket file and its inode. The folder
belongs to the gateway: a client can connect, but cannot replace the socket by another one or by a link.
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
class SocketFolder:
    """The path of a socket and the user who may connect. Without root it has mode 0600."""

    folder: Path
    uid: int | None = None
    gid: int | None = None
    own_folder: bool = True  # False: the folder has other contents, and its mode is not changed

    @property
    def path(self) -> Path:
        """The path of the socket."""
        return self.folder / NAME

    def open(self) -> socket.socket:
        """Bind a new socket in place of an old one; raises :class:`Malformed` when the path is too long (unix(7))."""
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
        shared = os.geteuid() == 0 and self.uid is not None and self.gid is not None
        os.chmod(self.path, 0o660 if shared else 0o600)
        if shared:
            assert self.uid is not None
            assert self.gid is not None
            os.chown(self.path, self.uid, self.gid)
            os.chown(self.folder, 0, self.gid)
            os.chmod(self.folder, 0o710)
        return bound

    def close(self) -> None:
        """Delete the socket; the folder stays, since it may be mounted."""
        self.path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the socket and the folder."""
        self.close()
        with contextlib.suppress(OSError):
            self.folder.rmdir()
