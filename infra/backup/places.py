"""What a backup of a home has, and in which of its two parts: the data, or the keys.

A person who has both parts has everything, so they belong in two places. What a running lab makes again by itself is in
neither: sockets, logs, lists of running processes, and what SQLite writes beside a database (whose copy needs none).
"""

from __future__ import annotations

from pathlib import PurePosixPath

KEYS = ("keys", "raw/keys", "lab/credentials.sqlite", "lab/hub")
"""Private keys, secrets, wrapped data keys, and what signs people in: the part that is kept apart."""
LEFT_OUT = ("running", "logs", "shelf/.making", "desk-socket", "lab/run")
_RELATED_TO_DATABASES = ("-wal", "-shm", "-journal")


def is_left_out(path: PurePosixPath) -> bool:
    """True for what is in neither part; ``path`` is relative to the home."""
    return _is_in(path, LEFT_OUT) or path.name.endswith(_RELATED_TO_DATABASES)


def is_key(path: PurePosixPath) -> bool:
    """True for what is in the part of the keys."""
    return _is_in(path, KEYS)


def _is_in(path: PurePosixPath, places: tuple[str, ...]) -> bool:
    return any(path == PurePosixPath(place) or PurePosixPath(place) in path.parents for place in places)
