"""A job's files as a bank sends and fetches them: CSV, or Parquet, which a separate process reads and writes."""

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
    """Reads a bank's input files and writes its results.

    Every Parquet file is read in a new process, one per bank at a time.
    """

    def __init__(self) -> None:
        """No process runs until the first Parquet file arrives.

        Where its library is not installed, only CSV is accepted.
        """
        self._parquet = SubprocessWorker("serving.endpoints.batch_jobs.parquet", seconds=60, most=256 << 20, fresh=True)
        self._reading: set[str] = set()

    def close(self) -> None:
        """End the reading that is under way; the requests that wait for it are refused."""
        self._parquet.close()

    async def read(self, bank: str, media: str, body: bytes) -> tuple[int, bytes]:
        """The number of lines of a file, and its lines as CSV without a header. Raises Malformed, Overloaded."""
        if media == PARQUET or body.startswith(PARQUET_MAGIC):
            body = await self._from_parquet(bank, body)
        return await asyncio.to_thread(split_lines, body)

    async def write(self, media: str, result: Path) -> bytes:
        """A result in the requested format. Raises CreditError when this service cannot write Parquet."""
        plain = await asyncio.to_thread(result.read_bytes)
        if media == CSV:
            return plain
        _require_library()
        try:
            return await self._parquet.run(b"w" + plain)
        except WorkerDied as fell:
            raise CreditError("job-files.result-not-parquet") from fell

    async def _from_parquet(self, bank: str, body: bytes) -> bytes:
        _require_library()
        if bank in self._reading:
            raise Overloaded()
        self._reading.add(bank)
        try:
            return await self._parquet.run(b"r" + body)
        except (InvalidTask, WorkerDied) as refused:
            raise Malformed(
                _PARQUET.get(str(refused), _TOO_COSTLY) if isinstance(refused, InvalidTask) else _TOO_COSTLY
            ) from refused
        finally:
            self._reading.discard(bank)


def _require_library() -> None:
    if find_spec("pyarrow") is None:
        raise Malformed("job-files.parquet-not-read-or-written")


def accepted_media_type(accepted: str) -> str:
    """The media type of a result by the header Accept (RFC 9110 §12.5.1); CSV when it names neither."""
    names = [part.partition(";")[0].strip().lower() for part in accepted[:512].split(",")]
    return next((name for name in names if name in (CSV, PARQUET)), CSV)
