"""The list of the files that make the tables of a vault: encrypted and authenticated, and replaced in one step.

A change writes its files first and the list last, so a process that is killed at any moment has changed all or nothing.
A file that is not in the list does not count; one that is in it and missing is noticed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from credit.errors import Broken
from credit.files import write_atomically
from privacy.storage.data_keys import DataKeys
from privacy.storage.encryption import decrypted, encrypted
from privacy.storage.partition import Partition

NAME, PERIOD = "_files", "all"  # the place of the list's own key


@dataclass(frozen=True, slots=True)
class FileList:
    """The files of each table. ``generation`` grows by one with every change."""

    generation: int = 0
    tables: Mapping[str, tuple[Partition, ...]] = field(default_factory=dict)

    def of(self, table: str, periods: Iterable[str] | None = None) -> tuple[Partition, ...]:
        """The files of a table, or of some of its periods, in the order in which they were added."""
        files, wanted = self.tables.get(table, ()), None if periods is None else set(periods)
        return tuple(file for file in files if wanted is None or file.period in wanted)

    def with_files(self, table: str, files: Iterable[Partition]) -> FileList:
        """The same list with these files of a table, which is replaced from it when there are none."""
        tables = {name: each for name, each in self.tables.items() if name != table}
        if files := tuple(files):
            tables[table] = files
        return FileList(self.generation, tables)


def read(folder: Path, keys: DataKeys) -> FileList:
    """The list of a vault; empty for a new one.

    Raises :class:`Broken` when the list was changed, or is missing although the vault has begun.
    """
    path = _path(folder)
    if not path.exists():
        if keys.exists(NAME):
            raise Broken("vault.list-missing")
        return FileList()
    content = path.read_bytes()
    try:
        clear = json.loads(decrypted(keys.key(NAME, PERIOD), content, NAME.encode()))
    except ValueError as error:
        raise Broken("vault.list-damaged") from error
    tables = {name: tuple(Partition(**each) for each in files) for name, files in clear["tables"].items()}
    return FileList(int(clear["generation"]), tables)


def write(folder: Path, keys: DataKeys, files: FileList) -> FileList:
    """Make ``files`` the list of the vault, under the next number; the caller has exclusive access."""
    made = FileList(files.generation + 1, files.tables)
    clear = {"generation": made.generation, "tables": {n: [asdict(f) for f in made.tables[n]] for n in made.tables}}
    key = keys.key(NAME, PERIOD) if _path(folder).exists() else keys.key_or_new(NAME, PERIOD)
    write_atomically(_path(folder), encrypted(key, json.dumps(clear).encode(), NAME.encode()), mode=0o600)
    return made


def _path(folder: Path) -> Path:
    return folder / "files.list"
