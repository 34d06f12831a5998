"""The one byte form of a JSON value and the one digest of it, so that two machines always agree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def canonical(value: Any) -> bytes:
    """``value`` as JSON in UTF-8 with sorted keys and no blanks.

    Raises ValueError for NaN and infinities, TypeError for a value that JSON cannot hold.
    """
    return _encode(value).encode()


def digest(content: bytes | Path) -> str:
    """SHA-256 of bytes or of a file's bytes, as 64 hex characters."""
    if isinstance(content, Path):
        with content.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    return hashlib.sha256(content).hexdigest()


def digest_json(value: Any) -> str:
    """SHA-256 of the canonical form of ``value``."""
    return digest(canonical(value))


def _plain(value: Any) -> Any:
    """A frozen mapping as a dict; raises TypeError for any other type."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
).encode
