"""The token of a signed-in user, in a file of their own configuration (``~/.config/haihe``), one a home.

It is read only when it is this user's alone: a file that others may read, or that another user put there, is refused.
A token is given to the home that it is for and to no other, so that a folder someone prepared cannot collect it.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from credit.errors import Refused
from credit.files import write_atomically
from infra.home import Home

LARGEST = 16 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token and what it is for."""

    home: str
    hub: str
    account: str
    token: str = field(repr=False)
    until: str

    def is_valid(self, now: datetime) -> bool:
        """True before its end."""
        return now < datetime.fromisoformat(self.until)


def stored_token(home: Home, env: Mapping[str, str] = os.environ) -> str:
    """The token of this user for a home; empty when they are not signed in there. Raises as :func:`read_token`."""
    stored = read_token(home, env)
    return stored.token if stored is not None and stored.is_valid(datetime.now(UTC)) else ""


def read_token(home: Home, env: Mapping[str, str] = os.environ) -> StoredToken | None:
    """What is stored for a home, also when it has expired; None when there is nothing.

    Raises :class:`Refused` for a file, or its folder, that another user owns or that others may read or change.
    """
    path = token_path(home, env)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused("token-file.not-a-file-of-ours", path=path) from error
    with open(descriptor, "rb") as stream:
        _require_private(os.fstat(descriptor), path, forbidden=0o077)
        _require_private(path.parent.stat(), path.parent, forbidden=0o022, folder=True)
        content = stream.read(LARGEST)
    try:
        stored = StoredToken(**json.loads(content))
        stored.is_valid(datetime.now(UTC))
    except (ValueError, TypeError):
        raise Refused("token-file.not-a-file-of-ours", path=path) from None
    return stored if stored.home == str(home.root) else None


def write_token(home: Home, stored: StoredToken, env: Mapping[str, str] = os.environ) -> Path:
    """Store a token; the file. Its folder is made for this user alone."""
    path = token_path(home, env)
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    _require_private(path.parent.stat(), path.parent, forbidden=0o022, folder=True)
    write_atomically(path, json.dumps(asdict(stored)).encode(), mode=0o600)
    return path


def remove_token(home: Home, env: Mapping[str, str] = os.environ) -> None:
    """Remove what is stored for a home."""
    with suppress(FileNotFoundError):
        token_path(home, env).unlink()


def token_path(home: Home, env: Mapping[str, str] = os.environ) -> Path:
    """The file for a home."""
    root = Path(env["XDG_CONFIG_HOME"]) if env.get("XDG_CONFIG_HOME") else Path.home() / ".config"
    name = hashlib.sha256(str(home.root).encode()).hexdigest()[:16]
    return root / "haihe" / f"token-{name}.json"


def _require_private(of: os.stat_result, path: Path, *, forbidden: int, folder: bool = False) -> None:
    """Raise :class:`Refused` unless it is this user's own file or folder and has none of the ``forbidden`` bits."""
    if of.st_uid != os.geteuid() or not (stat.S_ISDIR(of.st_mode) if folder else stat.S_ISREG(of.st_mode)):
        raise Refused("token-file.not-a-file-of-ours", path=path)
    if stat.S_IMODE(of.st_mode) & forbidden:
        raise Refused("token-file.open-to-others", path=path, mode=f"{stat.S_IMODE(of.st_mode):04o}")
