"""The vault (原始库): raw tables encrypted at rest, in files that deliveries append (``privacy/storage/``).

A table is a number of encrypted Parquet files, each of one period; a delivery adds files and says which rows it
replaces, so that it costs what is new. Each table and period has a data key, which the master key wraps.
"""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from credit.errors import Broken, Malformed, Missing, Refused
from credit.files import sync_folder
from privacy.storage import file_list
from privacy.storage.change import WHOLE, Change
from privacy.storage.data_keys import DataKeys
from privacy.storage.file_list import FileList
from privacy.storage.key_set import KeySet, Positions
from privacy.storage.master_key import MasterKey, SecretMasterKey
from privacy.storage.partition import BUCKET, CONTENT, FILE, KEY, POSITION, Buckets, Partition

__all__ = ["BUCKET", "CONTENT", "FILE", "KEY", "POSITION", "WHOLE", "Change", "Partition", "Vault"]

_OWN = (BUCKET, KEY, CONTENT)
_NAME = re.compile(r"_?[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Vault:
    """A folder of encrypted tables.

    ``master`` is a master key, or the 32 bytes of one (``credit.keys.load_secret``).
    """

    folder: Path
    master: MasterKey | bytes = field(repr=False)
    keys: DataKeys = field(init=False, repr=False)
    _schemas: dict[str, pa.Schema] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The columns of files by their id: a file never changes."""

    def __post_init__(self) -> None:
        master = SecretMasterKey(self.master) if isinstance(self.master, bytes) else self.master
        object.__setattr__(self, "keys", DataKeys(self.folder / "keys", master))

    def names(self) -> list[str]:
        """The names of all tables, sorted.

        Those that begin with an underscore are internal (quarantine, surrogates).
        """
        return sorted(self.files().tables)

    def files(self) -> FileList:
        """The files of all tables. Raises :class:`Broken` when their list was changed or is missing."""
        self._require_form()
        return file_list.read(self.folder, self.keys)

    def columns(self, name: str, files: FileList | None = None) -> list[str]:
        """The columns of a table, without those that identify its rows on disk; of ``files``, see :meth:`batches`."""
        return [field.name for field in self._schema(name, files or self.files()) if field.name not in _OWN]

    def stored_columns(self, name: str) -> list[str]:
        """The columns of a table, with those that identify its rows on disk."""
        return list(self._schema(name, self.files()).names)

    def periods(self, name: str) -> dict[str, int]:
        """The periods of a table, with the number of rows of each."""
        periods: dict[str, int] = {}
        for file in self.files().of(name):
            periods[file.period] = periods.get(file.period, 0) + file.valid_rows
        return dict(sorted(periods.items()))

    def read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The table of that name, or these columns of it, in memory. Raises as :meth:`batches` does."""
        reader = self.batches(name, columns)
        return pa.Table.from_batches(reader, reader.schema)

    def batches(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        *,
        buckets: Buckets | None = None,
        periods: Iterable[str] | None = None,
        positions: Mapping[str, Positions] | None = None,
        files: FileList | None = None,
    ) -> pa.RecordBatchReader:
        """A table, or these columns of it, as a stream that has a few row groups in memory.

        ``buckets``, ``periods`` and ``positions`` (the id of a file -> sorted positions in it) choose some of its rows;
        what has none of these is not read. A column that a file lacks is null there. ``files``
        are those of a change that does not count yet. Raises :class:`Missing` for a table or file that is not there,
        and :class:`Broken` for a changed byte or a wrong key.
        """
        files = files or self.files()
        whole = self._schema(name, files)
        if columns is None:
            columns = [each for each in whole.names if each not in _OWN]
        own = {FILE: pa.field(FILE, pa.string()), POSITION: pa.field(POSITION, pa.int64())}
        schema = pa.schema([own[each] if each in own else whole.field(each) for each in columns])
        chosen = [file for file in files.of(name, periods) if positions is None or file.id in positions]
        return pa.RecordBatchReader.from_batches(schema, self._rows(chosen, schema, buckets, positions or {}))

    def positions(
        self, name: str, keys: KeySet, *, periods: Iterable[str] | None = None, files: FileList | None = None
    ) -> dict[str, Positions]:
        """Where the rows of a table are that can have one of these keys: the id of a file -> sorted positions in it."""
        data_keys = _OpenedKeys(self.keys)
        by_file: dict[str, Positions] = {}
        for file in (files or self.files()).of(name, periods):
            positions = file.positions_of(self.folder, data_keys.of(file), keys)
            if len(positions):
                by_file[file.id] = positions
        return by_file

    def write(self, name: str, table: pa.Table | pa.RecordBatchReader) -> int:
        """Write or replace a whole table in one step and return the number of its rows; for small tables."""
        self._path(name)
        batches = table.to_batches(250_000) if isinstance(table, pa.Table) else table
        with self.change() as change:
            return change.write(name, batches or [pa.RecordBatch.from_pylist([], schema=table.schema)])

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A change, which counts when the block ends without an error; the caller has exclusive access."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        change = Change(self.folder, self.keys, self.files())
        yield change
        change.commit()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Exclusive access for a change of the vault, across processes.

        Files that an earlier change left half-made, or put others in the place of, are deleted.
        """
        with self._turn():
            self._delete_left_over()
            yield

    @property
    def is_unentered(self) -> bool:
        """True when an intake changed the vault and was stopped before its ledger entry."""
        return self._unentered().exists()

    def leave_unentered(self) -> None:
        """Say so, before such a change counts."""
        self._unentered().touch()
        sync_folder(self.folder)

    def entered(self) -> None:
        """Say that the changes so far are in the ledger."""
        self._unentered().unlink(missing_ok=True)

    def destroy(self, name: str, period: str) -> int:
        """Destroy the key of a period, and delete its files (crypto-shredding); returns the number of rows it had.

        Raises :class:`Missing` when the table has no such period.
        """
        self._path(name)
        with self.exclusive(), self.change() as change:
            files = [file for file in change.files.of(name) if file.period == period]
            if not files:
                raise Missing("vault.no-period", name=name, period=period)
            change.without_period(name, period)
            self.keys.destroy(name, period, change.files.generation)
        shutil.rmtree(self.folder / name / period, ignore_errors=True)
        return sum(file.valid_rows for file in files)

    def leave_out_destroyed(self) -> list[tuple[str, str, int]]:
        """Take out of the list what a backup brought back into it, although its key was destroyed since.

        Returns each table and period with the number of rows that the list had.
        """
        marks, listed = self.keys.destroyed(), self.files()
        if not any(listed.generation <= last and listed.of(name, [period]) for (name, period), last in marks.items()):
            return []
        with self.exclusive(), self.change() as change:
            back = [each for each, last in marks.items() if change.files.generation <= last and change.has(*each)]
            rows = [sum(file.valid_rows for file in change.files.of(name, [period])) for name, period in back]
            for name, period in back:
                change.without_period(name, period)
            if back:
                change.begin_after(max(marks.values()))
        for name, period in back:
            shutil.rmtree(self.folder / name / period, ignore_errors=True)
        return [(name, period, count) for (name, period), count in zip(back, rows, strict=True)]

    def rewrap(self, new: MasterKey) -> int:
        """Wrap every data key by another master key; no data are read or written. Returns the number of keys."""
        with self._turn():
            return self.keys.rewrap(new)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".turn").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _schema(self, name: str, listed: FileList) -> pa.Schema:
        """The columns of all files of a table together."""
        self._path(name)
        files = listed.of(name)
        if not files:
            raise Missing("vault.vault-holds-no-table", name=name)
        data_keys = _OpenedKeys(self.keys)
        for file in files:
            if file.id not in self._schemas:
                self._schemas[file.id] = file.schema(self.folder, data_keys.of(file))
        try:
            return pa.unify_schemas([self._schemas[file.id] for file in files], promote_options="permissive")
        except pa.ArrowException as error:
            raise Broken("vault.types-differ", name=name) from error

    def _rows(
        self,
        files: Sequence[Partition],
        schema: pa.Schema,
        buckets: Buckets | None,
        positions: Mapping[str, Positions],
    ) -> Iterator[pa.RecordBatch]:
        data_keys = _OpenedKeys(self.keys)
        for file in files:
            key, chosen = data_keys.of(file), positions.get(file.id)
            for batch in file.batches(self.folder, key, schema.names, buckets, chosen):
                columns = {name: batch.column(name) for name in batch.schema.names}
                yield pa.RecordBatch.from_arrays(
                    [_cast(columns.get(each.name), each, batch.num_rows) for each in schema], schema=schema
                )

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise Malformed("vault.not-table-name")
        return self.folder / name

    def _unentered(self) -> Path:
        return self.folder / ".unentered"

    def _require_form(self) -> None:
        """Refuse a vault of the first form, whose tables are one ``.sealed`` file each."""
        if any(self.folder.glob("*.sealed")):
            raise Refused("vault.first-form")

    def _delete_left_over(self) -> None:
        files = [file for each in self.files().tables.values() for file in each]
        known = {file.path(self.folder) for file in files}
        known |= {file.replaced_path(self.folder) for file in files if file.replaced}
        for path in self.folder.glob("*/*/*.parquet"):
            if path not in known:
                path.unlink(missing_ok=True)


@dataclass(slots=True)
class _OpenedKeys:
    """The data keys of one reading, each unwrapped once; they are forgotten with it."""

    keys: DataKeys
    opened: dict[tuple[str, str], bytes] = field(default_factory=dict, repr=False)

    def of(self, file: Partition) -> bytes:
        """The data key of a file."""
        place = file.table, file.period
        if place not in self.opened:
            self.opened[place] = self.keys.key(*place)
        return self.opened[place]


def _cast(values: pa.Array | None, field: pa.Field, rows: int) -> pa.Array:
    if values is None:
        return pa.nulls(rows, field.type)
    return values if values.type == field.type else values.cast(field.type)
