"""Where sockets are: short paths in lower case, as URLs lose capitals and paths of unix sockets have a limit."""

from __future__ import annotations

import os
from pathlib import Path

from credit.canonical import digest
from credit.errors import Refused
from credit.messages import Text

LONGEST = 107  # bytes of a unix socket's path, unix(7)
_LONGEST_BELOW = len("/ws/") + 62 + len("/kernel/gateway.sock")


def run_folder(home: Path) -> Path:
    """The folder of this home's sockets, which is ours; raises :class:`Refused` when another user made it."""
    uid = os.getuid()
    base = Path("/run") if uid == 0 else Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp"))
    folder = base / f"haihe-{digest(f'{uid} {home.resolve()}'.encode())[:8]}"
    if str(folder) != str(folder).lower() or len(str(folder)) + _LONGEST_BELOW > LONGEST:
        folder = Path("/tmp") / folder.name
    folder.mkdir(mode=0o711, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != uid or folder.is_symlink():
        raise Refused("places.folder-for-sockets-somebody-else", why=Text.verbatim(str(folder)))
    folder.chmod(0o711)
    return folder
