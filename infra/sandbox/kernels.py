"""The kernels of one workspace: each in a sandbox of its own, started on request of the workspace's server.

A connection to the launcher's socket is a kernel: its first line requests one, further lines send it signals, and when
the connection ends so does the kernel. After a line ``over`` it is not started again. Lines are JSON; a line back has
``started``, ``error`` or ``exit``, and before ``waiting`` where as many run as may (:mod:`infra.sandbox.kernel_slots`).
A connection may say instead which cell the server passes to a kernel next, and which has ended (``cell``); the line
back says whether the machine records what the kernel reads. Or it asks for the person's notices (``notices``).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from credit.errors import CreditError, Malformed, Refused
from credit.messages import Text
from infra.sandbox import watchdog
from infra.sandbox.bubblewrap import INSIDE_HOME, Mode, Sandbox
from infra.sandbox.cgroup import Cgroup
from infra.sandbox.kernel_slots import KernelSlots
from infra.sandbox.monitor.kernel_records import KernelRecords, PassedCell, Recorder
from infra.sandbox.monitor.workspace_monitor import TableFiles, WorkspaceMonitor, places_of
from infra.sandbox.notices import Notices
from infra.sandbox.places import installation, kernel_environment, system_files
from infra.sandbox.plan import ROWS, Plan
from infra.sandbox.start import Running, start

KERNEL = ("-I", "-B", "-m", "lab.kernel", "-f")  # isolated: nothing of the home is imported before the first cell
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEY = re.compile(r"[0-9a-f-]{16,80}")
_MESSAGE = re.compile(r"[0-9a-f-]{1,36}")
_CODE = re.compile(r"[0-9a-f]{64}")
LINE = 8192  # bytes of a request at most


@dataclass(slots=True)
class Kernels:
    """The kernels that run, by id."""

    plan: Plan
    running: dict[str, Running] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)  # why we ended one
    full: bool = False  # the home is larger than it may be
    cgroup: Cgroup | None = None
    recorder: Recorder | None = None  # of what they read; None where the machine permits no monitor
    records: dict[str, KernelRecords] = field(default_factory=dict)
    notices: Notices = field(init=False)
    slots: KernelSlots = field(init=False)
    _monitor: WorkspaceMonitor | None = None
    _one_monitor: threading.Lock = field(default_factory=threading.Lock)
    _ends: dict[str, asyncio.Event] = field(default_factory=dict)  # of each that starts, runs or ends: set at its end
    _listening: asyncio.Server | None = None
    _at_work: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.notices = Notices(self.plan.limits, self.plan.language)
        self.slots = KernelSlots(self.plan.kernels, self.notices)

    async def listen(self) -> None:
        """Open the launcher's socket."""
        path = self.plan.run / "keep" / "keep.sock"
        self._listening = await asyncio.start_unix_server(self._serve, path, limit=LINE)
        if self.plan.mode is Mode.ROOT:
            os.chown(path, self.plan.server.uid, self.plan.server.gid)
        path.chmod(0o600)

    async def close(self) -> None:
        """End every kernel and stop listening."""
        if self._listening:
            self._listening.close()
        for kernel in list(self.running.values()):
            kernel.kill()
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=5)
        if self._monitor:
            self._monitor.end()

    def bound_memory(self) -> None:
        """End the largest kernel when all together hold more than they may, which the machine itself does in a cgroup;
        a notice comes before."""
        if self.cgroup is not None:
            self.notices.memory(self.cgroup.memory())
            return
        used = {name: watchdog.memory(kernel.family()) for name, kernel in list(self.running.items())}
        self.notices.memory(sum(used.values()))
        if sum(used.values()) > self.plan.limits.memory:
            self._end(max(used, key=lambda name: used[name]), _too_large(self.plan))

    def bound_home(self, used: int) -> None:
        """End every kernel when the home holds more than it may, and start none until it does not."""
        self.full = used > self.plan.limits.home
        self.notices.home(used)
        for name in list(self.running) if self.full else ():
            self._end(name, _full(self.plan))

    def _end(self, name: str, why: Text) -> None:
        """End a kernel by a limit, once: it may take a moment."""
        kernel = self.running.get(name)
        if kernel is not None and name not in self.ended:
            self.ended[name] = why.render(self.plan.language)
            self.notices.ended(name, why)
            kernel.kill()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._at_work.add(task)
        try:
            await self._one(reader, writer)
        except CreditError as error:
            await _send(writer, {"error": error.in_language(self.plan.language), "reason": error.message.id})
        except (OSError, ValueError):
            pass  # the client has ended, or does not keep to the protocol
        finally:
            self._at_work.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = json.loads(await reader.readline())
        if isinstance(request, dict) and "cell" in request:
            await _send(writer, {"monitored": self._note_cell(request)})
            return
        if isinstance(request, dict) and "notices" in request:
            await _send(writer, {"notices": self.notices.current()})
            return
        name = _matching(request, "kernel", _ID)
        key = _matching(request, "key", _KEY)
        while (before := self._ends.get(name)) is not None:  # a restart: what was this kernel is on its way out
            if name in self.running:
                await self.running[name].stop(0)
            await before.wait()
        end = self._ends[name] = asyncio.Event()
        try:
            if self.slots.are_occupied:
                await _send(writer, {"waiting": name})
            if await self.slots.take_before(reader.readline(), name):  # a line before its start is the client's end
                try:
                    if self.full:
                        raise Refused("kernels.no-kernel-started", why=_full(self.plan))
                    await self._run(name, key, request, reader, writer)
                finally:
                    self.slots.free(name)
        finally:
            del self._ends[name]
            end.set()

    async def _run(
        self, name: str, key: str, request: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        folder = self._folder(name, key)
        records = KernelRecords(name, self.recorder) if self.recorder else None
        try:
            kernel = await start(
                self._sandbox(name, folder, request),
                env=kernel_environment(self.plan.language),
                cgroup=self.cgroup,
                before=lambda first: self._watch(first, records),
            )
            self.running[name] = kernel
            await _send(writer, {"started": name})
            await self._until_end(name, kernel, reader)
        finally:
            ended = self.running.pop(name, None)
            code = await ended.stop() if ended else -1
            if records is not None and self._monitor:
                self._monitor.forget(records)
                self.records = {each: of for each, of in self.records.items() if of is not records}
            shutil.rmtree(folder, ignore_errors=True)
        last = ended.output.lines(3) if ended and code else []
        await _send(writer, {"exit": code, "why": self.ended.pop(name, "") or " | ".join(last)})

    def _note_cell(self, request: dict[str, Any]) -> bool:
        """Note which cell the server passes to a kernel, or that it has ended; whether the kernel is monitored."""
        records = self.records.get(_matching(request, "cell", _ID))
        message = _matching(request, "message", _MESSAGE)
        if records is None:
            return False
        if request.get("ended") is True:
            records.end(message)
        else:
            records.begin(PassedCell(message, _matching(request, "code", _CODE)))
        return True

    def _watch(self, first: int, records: KernelRecords | None) -> None:
        """Have the machine record what a kernel reads that is about to run, where it can. Raises OSError."""
        if records is None:
            return
        with self._one_monitor:
            self._monitor = self._monitor or WorkspaceMonitor.open(self._tables())
        self.records[records.kernel] = records
        self._monitor.watch(first, records)

    def _tables(self) -> TableFiles:
        folders = {place: table for place, table in self.plan.data.items() if place.is_dir()}
        named = {place.resolve(): "" if table == ROWS else table for place, table in folders.items()}
        return TableFiles(named, places_of(folders.values()))

    async def _until_end(self, name: str, kernel: Running, reader: asyncio.StreamReader) -> None:
        """Pass signals on until it ends; what its client did not end may be started again, and keeps its slot."""
        ended = asyncio.create_task(kernel.process.wait())
        is_over = False
        try:
            while not ended.done():
                line = asyncio.create_task(reader.readline())
                await asyncio.wait({ended, line}, return_when=asyncio.FIRST_COMPLETED)
                if not line.done():
                    line.cancel()
                    break
                if not line.result():
                    return
                message = json.loads(line.result())
                is_over = is_over or message.get("over") is True
                if message.get("signal") in SIGNALS:
                    kernel.signal(message["signal"])
            if not is_over:
                self.slots.keep_for_restart(name)
        finally:
            ended.cancel()

    def _folder(self, name: str, key: str) -> Path:
        """The folder of one kernel's sockets, with the connection file that names them."""
        folder = self.plan.run / "kernels" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        info = {
            "transport": "ipc",
            "ip": f"/run/kernels/{name}/k",
            "key": key,
            "signature_scheme": "hmac-sha256",
        }
        ports = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
        connection = folder / "connection.json"
        connection.write_text(json.dumps(info | {port: number for number, port in enumerate(ports, start=1)}))
        connection.chmod(0o400)
        if self.plan.mode is Mode.ROOT:
            for path in (folder, connection):
                os.chown(path, self.plan.kernel.uid, self.plan.kernel.gid)
        folder.chmod(0o2770)
        return folder

    def _sandbox(self, name: str, folder: Path, request: Any) -> Sandbox:
        plan = self.plan
        return Sandbox(
            command=(sys.executable, *KERNEL, f"/run/kernels/{name}/connection.json"),
            mode=plan.mode,
            ids=plan.kernel,
            limits=plan.limits,
            readable={
                **installation(),
                plan.run / "kernel": "/run/lab",
                **{source: f"/data/{place}" for source, place in plan.data.items()},
            },
            writable={plan.home: INSIDE_HOME, folder: f"/run/kernels/{name}"},
            made=system_files(plan.kernel.uid, plan.kernel.gid),
            cwd=inside(str(request.get("cwd", "")), plan.home),
            waits=True,
        )


def inside(cwd: str, home: Path) -> str:
    """The working directory of a kernel in the sandbox: a folder of the home, or the home when it is not there."""
    parts = PurePosixPath(cwd).parts
    if ".." in parts or cwd.startswith("/"):
        return INSIDE_HOME
    place, here = home.resolve(), (home / cwd).resolve()
    return f"{INSIDE_HOME}/{here.relative_to(place)}" if here.is_dir() and here.is_relative_to(place) else INSIDE_HOME


def _too_large(plan: Plan) -> Text:
    return Text.of("kernels.memory-full", mebibytes=plan.limits.memory >> 20)


def _full(plan: Plan) -> Text:
    return Text.of("kernels.home-full", mebibytes=plan.limits.home >> 20)


def _matching(request: Any, key: str, form: re.Pattern[str]) -> str:
    value = request.get(key) if isinstance(request, dict) else None
    if not isinstance(value, str) or not form.fullmatch(value):
        raise Malformed("kernels.malformed-request", key=key)
    return value


async def _send(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        writer.write(json.dumps(message).encode() + b"\n")
        await writer.drain()
