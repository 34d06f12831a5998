"""One way to write a value as bytes, and one way to digest it, so that two machines agree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def canonical(value: Any) -> bytes:
    """``value`` as JSON with sorted keys, no blanks, UTF-8; NaN and infinities are refused (ValueError)."""
    return _written(value).encode()


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
    """Frozen mappings are mappings; anything else has no one form."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


_written = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
).encode
