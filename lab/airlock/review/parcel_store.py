"""The storage of parcel files (文件存放): content-addressed, so that a changed file is detected."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from credit.canonical import digest
from credit.errors import Broken, Missing
from credit.files import write_atomically


@dataclass(frozen=True, slots=True)
class ParcelStore:
    """A folder of files named by the SHA-256 of their bytes, with mode 0600."""

    root: Path

    def put(self, content: bytes) -> str:
        """Store bytes and return their digest."""
        name = digest(content)
        path = self._place(name)
        if not path.exists() or digest(path) != name:
            write_atomically(path, content, mode=0o600)
        return name

    def get(self, name: str) -> bytes:
        """The bytes with a digest; raises :class:`Missing`, or :class:`Broken` when the stored bytes were changed."""
        path = self._place(name)
        if not path.is_file():
            raise Missing("parcel-store.file-parcel-not-in-airlock", name=name[:12])
        content = path.read_bytes()
        if digest(content) != name:
            raise Broken("parcel-store.file-parcel-changed-in-airlock", name=name[:12])
        return content

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the airlock's lock, across threads and processes, so that no state changes between check and write."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "desk.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _place(self, name: str) -> Path:
        return self.root / "files" / name[:2] / name
