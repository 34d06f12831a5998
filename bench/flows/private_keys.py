"""How many zones' private keys a process had: the memory of every process below one is searched again and again.

A key is there as the 32 bytes that sign, or as the text of its file. What a process has freed is still in its memory
for a while, so a key that is used for a moment is seen too.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import psutil
from cryptography.hazmat.primitives import serialization

from bench.flows.demo_steps import OUT
from bench.record import INVENTED, record

SUBJECTS = 20_000
PIECE = 16 << 20  # bytes searched at once
OVERLAP = 64  # longer than what is searched for


@dataclass(slots=True)
class KeyWatch:
    """Searches the processes below this one while the ``with`` block runs.

    ``zones`` has, by process, the zones whose keys it had.
    """

    home: Path
    every: float = 1.0
    zones: dict[tuple[int, str], set[str]] = field(default_factory=dict)
    searched: int = 0  # searches of a process's whole memory
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @property
    def most(self) -> int:
        """The largest number of zones' private keys that any process had."""
        return max((len(zones) for zones in self.zones.values()), default=0)

    def __enter__(self) -> KeyWatch:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.search()
            self._stop.wait(self.every)

    def search(self) -> None:
        """Search every process below this one, once. This one made the keys, and is not one of the lab."""
        wanted = patterns(self.home)
        own = psutil.Process()
        words = own.cmdline()
        for process in own.children(recursive=True):
            try:
                line = process.cmdline()
                if not line or line == words:  # between fork and exec it is this one's copy
                    continue
                result = zones_of(process.pid, wanted)
            except (OSError, psutil.Error):
                continue  # it ended meanwhile
            self.searched += 1
            self.zones.setdefault((process.pid, " ".join(line[1:5])[:80]), set()).update(result)


def keys_in_one_process() -> None:
    """The whole demonstration, from the first key to the audit of a score after a repair."""
    out = OUT / "keys"
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "infra.haihe", "demo", "--subjects", str(SUBJECTS), "--out", str(out)]
    with KeyWatch((out / "home").resolve()) as watch:
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    more = {"processes": len(watch.zones), "searches": watch.searched, "holders": sum(map(bool, watch.zones.values()))}
    record("keys_in_one_process", watch.most, "keys", goal=1, data=f"{INVENTED}, {SUBJECTS} subjects", more=more)


def patterns(home: Path) -> dict[str, tuple[bytes, bytes]]:
    """Zone -> the 32 bytes of its private key, and the part of its file's text that depends on nothing else."""
    wanted = {}
    for path in home.glob("keys/*/signing-*.pem"):
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        seed = key.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        # PKCS #8 puts 16 bytes before these, and base64 takes three at a time: from the third on the text is the key's.
        wanted[path.stem.removeprefix("signing-")] = (seed, base64.b64encode(seed[2:]))
    return wanted


def zones_of(pid: int, wanted: Mapping[str, tuple[bytes, bytes]]) -> set[str]:
    """The zones whose private key is in the memory of a process."""
    result: set[str] = set()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for piece in pieces(pid, memory):
            result |= {zone for zone, texts in wanted.items() if any(text in piece for text in texts)}
    return result


def pieces(pid: int, memory: BinaryIO) -> Iterator[bytes]:
    """The memory of a process that is its own and that it has used, piece by piece."""
    for begin, end in regions(pid):
        at = begin
        while at < end:
            try:
                piece = os.pread(memory.fileno(), min(PIECE, end - at), at)
            except OSError:
                break  # unmapped meanwhile
            if not piece:
                break
            yield piece
            at += len(piece) if at + len(piece) >= end else max(1, len(piece) - OVERLAP)


def regions(pid: int) -> Iterator[tuple[int, int]]:
    """The regions of a process with pages of its own: heap, stacks, and what it mapped without a file."""
    begin = end = 0
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = line.split(maxsplit=1)[0]
        if "-" in head and not head.endswith(":"):
            begin, end = (int(number, 16) for number in head.split("-"))
        elif line.startswith("Anonymous:") and int(line.split()[1]) > 0:
            yield begin, end
