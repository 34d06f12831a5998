"""Where the bytes of parcels lie: content-addressed, so that a changed file is seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from credit.canonical import digest
from credit.errors import Broken, Missing
from credit.files import write_atomically


@dataclass(frozen=True, slots=True)
class ParcelStore:
    """A folder of files named by the SHA-256 of their bytes, mode 0600."""

    root: Path

    def put(self, content: bytes) -> str:
        """Keep bytes; gives their digest."""
        name = digest(content)
        path = self._place(name)
        if not path.exists() or digest(path) != name:
            write_atomically(path, content, mode=0o600)
        return name

    def get(self, name: str) -> bytes:
        """The bytes of a digest; raises :class:`Missing`, or :class:`Broken` when they are not those kept."""
        path = self._place(name)
        if not path.is_file():
            raise Missing("parcel-store.file-parcel-not-in-airlock", name=name[:12])
        content = path.read_bytes()
        if digest(content) != name:
            raise Broken("parcel-store.file-parcel-changed-in-airlock", name=name[:12])
        return content

    def _place(self, name: str) -> Path:
        return self.root / "files" / name[:2] / name
