"""Write a file of rejected rows at a place that a person named, where anything may lie already."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from credit.errors import Malformed
from credit.messages import Text


def write_for_owner(path: Path, content: bytes) -> None:
    """Write a file that its owner alone can read, in a folder that is made.

    Raises :class:`Malformed` where that cannot be done: a link is not followed, since custody could be led to a file of
    its own, and a pipe or a device is not opened for writing, since it could wait for ever.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Malformed("quarantine.cannot-write", why=Text.of("quarantine.cannot-write.no-plain-file"))
            os.fchmod(descriptor, 0o600)
            os.ftruncate(descriptor, 0)
            stream.write(content)
    except OSError as error:
        if path.is_symlink():
            raise Malformed("quarantine.cannot-write", why=Text.of("quarantine.cannot-write.link")) from error
        raise Malformed("quarantine.cannot-write", why=Text.verbatim(error.strerror or type(error).__name__)) from error
