"""A job's files as a bank sends and takes them: CSV, or Parquet by way of a process of its own."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from pathlib import Path

from credit.errors import CreditError, Malformed
from credit.messages import Text
from serving.endpoints.batch_jobs.job_lines import split_lines
from serving.errors import Overloaded
from serving.processes.subprocess_worker import SubprocessWorker, WorkerDied
from serving.processes.worker_loop import InvalidTask
from serving.responses.job_columns import CSV, INPUT_COLUMNS, MAX_BYTES, MAX_LINES, PARQUET, PARQUET_MAGIC

_PARQUET = {  # what the reader says -> the error; nothing that the file holds is repeated
    "unreadable": Text.of("job-files.parquet-unreadable"),
    "columns": Text.of("job-files.parquet-columns", columns=", ".join(INPUT_COLUMNS)),
    "types": Text.of("job-files.parquet-types", columns=", ".join(INPUT_COLUMNS)),
    "groups": Text.of("job-files.parquet-groups"),
    "rows": Text.of("job-files.parquet-rows", limit=MAX_LINES),
    "large": Text.of("job-files.parquet-large", mebibytes=MAX_BYTES >> 20),
    "text": Text.of("job-files.parquet-text"),
}
_TOO_COSTLY = Text.of("job-files.parquet-too-costly")


class JobFiles:
    """Reads what comes and writes what goes; every file of Parquet in a fresh process, one of a bank at a time."""

    def __init__(self) -> None:
        """Nothing runs until the first file of Parquet comes; where its library is not installed, CSV is all."""
        self._parquet = SubprocessWorker("serving.endpoints.batch_jobs.parquet", seconds=60, most=256 << 20, fresh=True)
        self._banks: set[str] = set()

    def close(self) -> None:
        """End what is still read; who waits for it is refused."""
        self._parquet.close()

    async def read(self, bank: str, media: str, body: bytes) -> tuple[int, bytes]:
        """How many lines a file has, and its lines as CSV without a head. Raises Malformed, Overloaded."""
        if media == PARQUET or body.startswith(PARQUET_MAGIC):
            body = await self._from_parquet(bank, body)
        return await asyncio.to_thread(split_lines, body)

    async def write(self, media: str, told: Path) -> bytes:
        """A result in the form that is asked for. Raises CreditError when this service cannot write Parquet."""
        plain = await asyncio.to_thread(told.read_bytes)
        if media == CSV:
            return plain
        _require_library()
        try:
            return await self._parquet.ask(b"w" + plain)
        except WorkerDied as fell:
            raise CreditError("job-files.result-not-parquet") from fell

    async def _from_parquet(self, bank: str, body: bytes) -> bytes:
        _require_library()
        if bank in self._banks:
            raise Overloaded()
        self._banks.add(bank)
        try:
            return await self._parquet.ask(b"r" + body)
        except (InvalidTask, WorkerDied) as bad:
            raise Malformed(
                _PARQUET.get(str(bad), _TOO_COSTLY) if isinstance(bad, InvalidTask) else _TOO_COSTLY
            ) from bad
        finally:
            self._banks.discard(bank)


def _require_library() -> None:
    if find_spec("pyarrow") is None:
        raise Malformed("job-files.parquet-not-read-or-written")


def accepted_media_type(accepted: str) -> str:
    """The media type of a result, as Accept says; CSV when it says neither."""
    names = [part.partition(";")[0].strip().lower() for part in accepted[:512].split(",")]
    return next((name for name in names if name in (CSV, PARQUET)), CSV)
