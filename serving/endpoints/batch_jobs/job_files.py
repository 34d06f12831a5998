"""A job's files as a bank sends and takes them: CSV, or Parquet by way of a process of its own."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from pathlib import Path

from credit.errors import CreditError, Malformed
from serving.endpoints.batch_jobs.job_lines import count
from serving.errors import Overloaded
from serving.processes.subprocess_worker import Aside, Fell
from serving.processes.worker_loop import Unfit
from serving.responses.job_columns import CSV, HEAD, LARGEST, MAGIC, MOST, PARQUET

_WHAT = "The Parquet file cannot be read"
REASONS = {  # what the reader says -> why, remedy; nothing that the file holds is repeated
    "unreadable": ("it is damaged, cut off or not Parquet", "Write it anew"),
    "columns": (f"its columns are not {', '.join(HEAD)}, each once", "Leave everything else out"),
    "types": (f"{', '.join(HEAD)} are not flat columns of text", "Write them as strings"),
    "groups": ("it has too many row groups", "Write it in one"),
    "rows": (f"it does not hold 1 to {MOST} rows, or not as many as it says", f"Send 1 to {MOST}"),
    "large": (f"it unpacks to more than {LARGEST >> 20} MiB", "Send it in parts"),
    "text": ("its text is not UTF-8", "Write it anew"),
}  # fmt: skip
_FELL = ("reading it took more memory or time than is given", "Write it anew with few row groups, or send CSV")


class Files:
    """Reads what comes and writes what goes; every file of Parquet in a fresh process, one of a bank at a time."""

    def __init__(self) -> None:
        """Nothing runs until the first file of Parquet comes; where its library is not installed, CSV is all."""
        self._parquet = Aside("serving.endpoints.batch_jobs.parquet", seconds=60, most=256 << 20, fresh=True)
        self._banks: set[str] = set()

    def close(self) -> None:
        """End what is still read; who waits for it is refused."""
        self._parquet.close()

    async def read(self, bank: str, media: str, body: bytes) -> tuple[int, bytes]:
        """How many lines a file has, and its lines as CSV without a head. Raises Malformed, Overloaded."""
        if media == PARQUET or body.startswith(MAGIC):
            body = await self._from_parquet(bank, body)
        return await asyncio.to_thread(count, body)

    async def write(self, media: str, told: Path) -> bytes:
        """A result in the form that is asked for. Raises CreditError when this service cannot write Parquet."""
        plain = await asyncio.to_thread(told.read_bytes)
        if media == CSV:
            return plain
        _require_library()
        try:
            return await self._parquet.ask(b"w" + plain)
        except Fell as fell:
            raise CreditError("job-files.result-cannot-be-told-as") from fell

    async def _from_parquet(self, bank: str, body: bytes) -> bytes:
        _require_library()
        if bank in self._banks:
            raise Overloaded()
        self._banks.add(bank)
        try:
            return await self._parquet.ask(b"r" + body)
        except (Unfit, Fell) as bad:
            why, remedy = REASONS.get(str(bad), _FELL) if isinstance(bad, Unfit) else _FELL
            raise Malformed(_WHAT, why=why, remedy=remedy) from bad
        finally:
            self._banks.discard(bank)


def _require_library() -> None:
    if find_spec("pyarrow") is None:
        raise Malformed("job-files.parquet-not-read-or-written")


def form_of(accepted: str) -> str:
    """The media type of a result, as Accept says; CSV when it says neither."""
    names = [part.partition(";")[0].strip().lower() for part in accepted[:512].split(",")]
    return next((name for name in names if name in (CSV, PARQUET)), CSV)
