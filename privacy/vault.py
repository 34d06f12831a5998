"""The vault: raw tables encrypted at rest, each a Parquet file encrypted in chunks with AES-256-GCM (NIST SP 800-38D).

A sealed file is ``MAGIC | prefix (8 bytes) | length (4) chunk | length chunk | …``. Chunk ``i`` is encrypted under the
nonce ``prefix ‖ i`` and bound to the table's name, its number and whether it is the last one: a chunk that was changed,
moved, dropped, copied from another table or removed from the end cannot be decrypted (STREAM, Hoang et al. 2015).
The key is HKDF(secret, prefix) (RFC 5869), so that no two files share a key and no nonce is used twice.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import secrets
import struct
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from credit.errors import Broken, Malformed, Missing
from credit.files import sync_folder

MAGIC = b"HHVAULT1"
CHUNK = 4 << 20  # bytes of clear text per chunk
_NAME = re.compile(r"_?[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Vault:
    """A folder of sealed tables. ``secret`` is 32 bytes from ``credit.keys.load_secret``."""

    folder: Path
    secret: bytes = field(repr=False)

    def names(self) -> list[str]:
        """The names of all tables, sorted.

        Those that begin with an underscore are internal (quarantine, surrogates).
        """
        return sorted(path.stem for path in self.folder.glob("*.sealed"))

    def write(self, name: str, table: pa.Table | pa.RecordBatchReader) -> int:
        """Write or replace a table atomically and return the number of its rows.

        Raises :class:`Malformed` for a name that could lead out of the folder.
        """
        path = self._path(name)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".{name}.{uuid.uuid4().hex}")
        batches = table.to_batches(250_000) if isinstance(table, pa.Table) else table
        rows = 0
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                with (
                    _Sealer(stream, self.secret, name) as sink,
                    pq.ParquetWriter(sink, table.schema, compression="zstd") as writer,
                ):
                    for batch in batches:
                        writer.write_batch(batch)
                        rows += batch.num_rows
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(self.folder)
        return rows

    def read(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """The table of that name, or these columns of it, after every chunk was decrypted and verified.

        Raises :class:`Missing`, or :class:`Broken` for a changed byte or a wrong key.
        """
        path = self._path(name)
        if not path.exists():
            raise Missing("vault.vault-holds-no-table", name=name)
        with path.open("rb") as stream:
            clear = b"".join(_unseal(stream, self.secret, name))
        try:
            # In this thread alone: a pool that reads from Python can abort the process as it ends (apache/arrow#50482).
            return pq.read_table(io.BytesIO(clear), columns=columns, use_threads=False)
        except pa.ArrowException as error:
            raise Broken("vault.sealed-table-cannot-be-read", name=name) from error

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Exclusive access for a change of the vault, across processes."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".turn").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise Malformed("vault.not-table-name")
        return self.folder / f"{name}.sealed"


def _cipher(secret: bytes, prefix: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=prefix, info=b"haihe custody vault").derive(secret))


def _bound(name: str, number: int, last: bool) -> bytes:
    return MAGIC + name.encode() + struct.pack(">I?", number, last)


class _Sealer(io.RawIOBase):
    """A file object that encrypts the written bytes chunk by chunk."""

    def __init__(self, stream: BinaryIO, secret: bytes, name: str) -> None:
        self._stream, self._name, self._number = stream, name, 0
        self._prefix = secrets.token_bytes(8)
        self._cipher = _cipher(secret, self._prefix)
        self._waiting = bytearray()
        stream.write(MAGIC + self._prefix)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        while len(self._waiting) > CHUNK:  # the last chunk is encrypted by close(), which marks it as the last
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._seal(bytes(self._waiting), last=True)
            super().close()

    def _seal(self, clear: bytes, *, last: bool) -> None:
        nonce = self._prefix + struct.pack(">I", self._number)
        sealed = self._cipher.encrypt(nonce, clear, _bound(self._name, self._number, last))
        self._stream.write(struct.pack(">I", len(sealed)) + sealed)
        self._number += 1


def _unseal(stream: BinaryIO, secret: bytes, name: str) -> Iterator[bytes]:
    head = stream.read(len(MAGIC) + 8)
    prefix = head[len(MAGIC) :]
    if not head.startswith(MAGIC) or len(prefix) != 8:
        raise Broken("vault.sealed-table-damaged", name=name)
    cipher, number = _cipher(secret, prefix), 0
    length = stream.read(4)
    while length:
        wanted = int.from_bytes(length, "big") if len(length) == 4 else 0
        sealed = stream.read(wanted)
        length = stream.read(4)
        try:
            if len(sealed) != wanted:
                raise ValueError
            yield cipher.decrypt(prefix + struct.pack(">I", number), sealed, _bound(name, number, not length))
        except (InvalidTag, ValueError) as error:
            raise Broken("vault.sealed-table-damaged-chunk-does-not", name=name, number=number) from error
        number += 1
    if number == 0:
        raise Broken("vault.sealed-table-damaged-holds-nothing", name=name)
