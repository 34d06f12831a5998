"""The kernels of one workspace: each in a sandbox of its own, started on request of the workspace's server.

A connection to the launcher's socket is a kernel: its first line requests one, further lines send it signals, and when
the connection ends so does the kernel. Lines are JSON; a line back has ``started``, ``error`` or ``exit``. A
connection may request ``reads`` instead: the tables that this workspace read since the last such request.
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
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from credit.errors import CreditError, Malformed, Refused
from credit.messages import Text
from infra.sandbox import watchdog
from infra.sandbox.bubblewrap import INSIDE_HOME, Mode, Sandbox
from infra.sandbox.cgroup import Cgroup
from infra.sandbox.places import installation, system_files
from infra.sandbox.plan import Plan, base_environment
from infra.sandbox.read_monitor import ReadMonitor
from infra.sandbox.start import Running, start

KERNEL = ("-I", "-B", "-m", "lab.kernel", "-f")  # isolated: nothing of the home is imported before the first cell
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEY = re.compile(r"[0-9a-f-]{16,80}")
LINE = 8192  # bytes of a request at most


@dataclass(slots=True)
class Kernels:
    """The kernels that run, by id."""

    plan: Plan
    running: dict[str, Running] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)  # why we ended one
    full: bool = False  # the home is larger than it may be
    cgroup: Cgroup | None = None
    watch: ReadMonitor | None = None
    _listening: asyncio.Server | None = None
    _at_work: set[asyncio.Task[None]] = field(default_factory=set)

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

    def bound_memory(self) -> None:
        """End the largest kernel when all together hold more than they may."""
        if self.cgroup is not None:
            return
        used = {name: watchdog.memory(kernel.family()) for name, kernel in list(self.running.items())}
        if sum(used.values()) > self.plan.limits.memory:
            largest = max(used, key=lambda name: used[name])
            self.ended[largest] = _too_large(self.plan).render(self.plan.language)
            self.running[largest].kill()

    def bound_home(self, used: int) -> None:
        """End every kernel when the home holds more than it may, and start none until it does not."""
        self.full = used > self.plan.limits.home
        for name, kernel in list(self.running.items()):
            if self.full:
                self.ended[name] = _full(self.plan).render(self.plan.language)
                kernel.kill()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._at_work.add(task)
        try:
            await self._one(reader, writer)
        except CreditError as error:
            await _send(writer, {"error": error.in_language(self.plan.language)})
        except (OSError, ValueError):
            pass  # the client has ended, or does not keep to the protocol
        finally:
            self._at_work.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = json.loads(await reader.readline())
        if isinstance(request, dict) and request.get("reads"):
            await _send(writer, {"tables": self.watch.take(self.plan.kernel.uid) if self.watch else None})
            return
        name = _matching(request, "kernel", _ID)
        if name in self.running:  # a restart: the old one is on its way out
            await self.running[name].stop(0)
        if self.full:
            raise Refused("kernels.no-kernel-started", why=_full(self.plan))
        if len(self.running) >= self.plan.kernels:
            raise Refused("kernels.no-kernel-started-running", kernels=self.plan.kernels)
        folder = self._folder(name, _matching(request, "key", _KEY))
        try:
            kernel = await start(self._sandbox(name, folder, request), env=self._environment(), cgroup=self.cgroup)
            self.running[name] = kernel
            await _send(writer, {"started": name})
            await self._until_end(kernel, reader)
        finally:
            ended = self.running.pop(name, None)
            code = await ended.stop() if ended else -1
            shutil.rmtree(folder, ignore_errors=True)
        last = ended.output.lines(3) if ended and code else []
        await _send(writer, {"exit": code, "why": self.ended.pop(name, "") or " | ".join(last)})

    async def _until_end(self, kernel: Running, reader: asyncio.StreamReader) -> None:
        ended = asyncio.create_task(kernel.process.wait())
        try:
            while not ended.done():
                line = asyncio.create_task(reader.readline())
                await asyncio.wait({ended, line}, return_when=asyncio.FIRST_COMPLETED)
                if not line.done():
                    line.cancel()
                    return
                if not line.result():
                    return
                number = json.loads(line.result()).get("signal")
                if number in SIGNALS:
                    kernel.signal(number)
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
        )

    def _environment(self) -> dict[str, str]:
        return base_environment(self.plan.language) | {
            "HOME": INSIDE_HOME,
            "IPYTHONDIR": "/tmp/ipython",
            "MPLCONFIGDIR": "/tmp/matplotlib",
        }


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
