"""The supervisor of one workspace (工作区): its server, a sandbox for each of its kernels, and the limits of all.

It runs in the hub, outside the sandboxes. The server requests kernels over a socket that only the server's sandbox has;
the program that a kernel's sandbox runs is chosen here, and no request can change it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from credit.errors import Refused
from credit.messages import Text
from infra.sandbox import watchdog
from infra.sandbox.bubblewrap import INSIDE_HOME, Limits, Sandbox
from infra.sandbox.cgroup import Cgroup
from infra.sandbox.kernels import Kernels
from infra.sandbox.monitor.kernel_records import Recorder
from infra.sandbox.places import installation, system_files
from infra.sandbox.plan import Plan, base_environment, locale_environment, prepare
from infra.sandbox.start import Running, start

SERVER = ("-I", "-m", "lab.workspace")
SERVER_LIMITS = Limits(memory=2 << 30, processes=128, tmp=128 << 20, file_size=256 << 20)
SERVER_STATE = "/srv/lab"  # as lab.workspace.server names it
READY_SECONDS = 90.0
MEASURE_EVERY, MEASURE_HOME_EVERY = 1.0, 5.0  # seconds between two measurements of memory, of the home


@dataclass(slots=True)
class WorkspaceSupervisor:
    """One workspace from start to end. It ends once ``allowed``, which is called every second, gives False."""

    plan: Plan
    allowed: Callable[[], bool] = lambda: True
    recorder: Recorder | None = None  # of what kernels read; None where the machine permits no monitor
    why: str = ""  # why it ended, when we ended it
    server: Running | None = None
    kernels: Kernels = field(init=False)
    _cgroup: Cgroup | None = None
    _watch: asyncio.Task[None] | None = None
    _until: float = 0.0

    def __post_init__(self) -> None:
        self.kernels = Kernels(self.plan, recorder=self.recorder)

    @property
    def front(self) -> Path:
        """The socket that the proxy connects to; it is ours, in a folder that no sandbox sees."""
        return self.plan.run / "front" / "server.sock"

    async def open(self, env: Mapping[str, str], *, before: Callable[[], Awaitable[None]] | None = None) -> None:
        """Start the server's sandbox and wait until it answers; raises :class:`Refused` when it does not.

        ``before`` opens what else it needs, once the workspace's folders are there.
        """
        plan = self.plan
        prepare(plan)
        if before:
            await before()
        self._cgroup = Cgroup.create(plan.name, plan.limits)
        self.kernels.cgroup = self._cgroup
        await self.kernels.listen()
        listening = _listen(self.front)
        ready_read, ready_write = os.pipe()
        # The token stands in no environment that /proc shows.
        given = _through_a_pipe({**base_environment(), **env, **locale_environment(plan.language), "HOME": "/tmp"})
        descriptors = {
            "HAIHE_WORKSPACE_FD": str(listening.fileno()),
            "HAIHE_WORKSPACE_READY": str(ready_write),
            "HAIHE_WORKSPACE_ENVIRONMENT": str(given),
        }
        try:
            self.server = await start(
                self._server(),
                env={**base_environment(plan.language), **descriptors},
                pass_fds=(listening.fileno(), ready_write, given),
                cgroup=self._cgroup,
            )
            os.close(ready_write)
            ready_write = -1
            await self._ready(ready_read)
        except BaseException:
            await self.close()
            raise
        finally:
            listening.close()
            for fd in (ready_read, ready_write, given):
                with contextlib.suppress(OSError):
                    os.close(fd)
        self._until = time.monotonic() + plan.seconds
        self._watch = asyncio.create_task(self._monitor())

    async def close(self) -> None:
        """End everything of this workspace."""
        if self._watch and self._watch is not asyncio.current_task():
            self._watch.cancel()
        await self.kernels.close()
        if self.server:
            await self.server.stop()
        if self._cgroup:
            await asyncio.to_thread(self._cgroup.end)
        for name in ("front", "gate", "keep", "kernels"):
            shutil.rmtree(self.plan.run / name, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        """True while its server runs."""
        return self.server is not None and self.server.is_running

    def _server(self) -> Sandbox:
        plan = self.plan
        return Sandbox(
            command=(sys.executable, *SERVER),
            mode=plan.mode,
            ids=plan.server,
            limits=SERVER_LIMITS,
            readable={
                **installation(),
                plan.run / "gate": "/run/hub",
                plan.run / "server": "/run/lab",
                plan.run / "keep": "/run/keep",
                plan.run / "kernels": "/run/kernels",
            },
            writable={plan.home: INSIDE_HOME, plan.state: SERVER_STATE},
            made=system_files(plan.server.uid, plan.server.gid),
            cwd="/tmp",
        )

    async def _ready(self, fd: int) -> None:
        assert self.server is not None
        ready = asyncio.create_task(asyncio.to_thread(os.read, fd, 1))
        ended = asyncio.create_task(self.server.process.wait())
        done, _ = await asyncio.wait({ready, ended}, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if ready not in done or not ready.result():
            self.server.kill()
            await asyncio.gather(ready, return_exceptions=True)
            last = " | ".join(self.server.output.lines(4))
            raise Refused(
                "workspace-supervisor.workspace-did-not-start",
                why=Text.verbatim(last) if last else Text.of("workspace-supervisor.no-output"),
            )

    async def _monitor(self) -> None:
        """Until the end, check the memory, the size of the home, the time, and whether it is still allowed."""
        measured = 0.0
        while self.is_running:
            await asyncio.sleep(MEASURE_EVERY)
            if time.monotonic() >= self._until:
                self.why = "its time is over"
            elif not await asyncio.to_thread(self.allowed):
                self.why = "the project is over"
            if self.why:
                await self.close()
                return
            self.kernels.notices.time(self._until - time.monotonic())
            await asyncio.to_thread(self.kernels.bound_memory)
            if time.monotonic() - measured > MEASURE_HOME_EVERY:
                used = await asyncio.to_thread(watchdog.disk_usage, self.plan.home, most=self.plan.limits.home)
                self.kernels.bound_home(used)
                measured = time.monotonic()


def _through_a_pipe(environment: Mapping[str, str]) -> int:
    """A descriptor that gives these settings as JSON (they fit a pipe's buffer) and then ends."""
    read, write = os.pipe()
    with os.fdopen(write, "wb") as pipe:
        pipe.write(json.dumps(dict(environment)).encode())
    return read


def _listen(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    path.chmod(0o600)
    listening.listen(128)
    return listening
