"""Start a kernel from the sealed server: the supervisor outside runs it in a sandbox of its own.

A kernel provisioner (Jupyter's own seam for this,
https://jupyter-client.readthedocs.io/en/stable/provisioning.html). The command in a kernel specification is ignored:
the supervisor decides.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerBase
from tornado.web import HTTPError

from lab.workspace.cell_queue import forget_cells
from lab.workspace.page.request_end import before_its_end

SOCKET = "/run/keep/keep.sock"
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
SECONDS, WAIT_SECONDS = 60.0, 660.0  # to start a kernel, and to wait for a slot: the supervisor refuses before


class KernelRefused(HTTPError):
    """No kernel was started; as a text it is the reason alone, as Jupyter shows that text."""

    def __str__(self) -> str:
        return str(self.log_message)


class SealedProvisioner(KernelProvisionerBase):  # type: ignore[misc]
    """One kernel: an open connection to the supervisor."""

    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None
    _exit: asyncio.Task[int] | None = None

    @property
    def has_process(self) -> bool:
        """True from launch until the exit was reported."""
        return self._exit is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Set the paths of the kernel's sockets, in a folder of that kernel."""
        manager = self.parent
        manager.transport, manager.ip = "ipc", f"/run/kernels/{self.kernel_id}/k"
        for number, port in enumerate(PORTS, start=1):
            setattr(manager, port, number)
        self.connection_info = manager.get_connection_info()
        prepared: dict[str, Any] = await super().pre_launch(cmd=[], **kwargs)
        return prepared

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Have the supervisor start the kernel; raises HTTPError 503 with its reason when it refuses."""
        forget_cells(str(self.kernel_id))
        self._reader, self._writer = await asyncio.open_unix_connection(SOCKET)
        key = self.connection_info["key"]
        request = {
            "kernel": self.kernel_id,
            "key": key.decode() if isinstance(key, bytes) else key,
            "cwd": _below(kwargs.get("cwd"), os.environ.get("JUPYTERHUB_ROOT_DIR", "/home/lab")),
        }
        try:
            self._send(request)
            reply = await self._reply(SECONDS)
            if "waiting" in reply:  # a browser that leaves meanwhile wants no kernel
                reply = await before_its_end(self._reply(WAIT_SECONDS))
        except BaseException:
            self._writer.close()  # a kernel that comes up after all ends with its connection
            raise
        if "started" not in reply:
            self._writer.close()
            why = str(reply.get("error") or reply.get("why") or "the kernel was not started")
            raise KernelRefused(503, why, reason="No kernel was started")
        self._exit = asyncio.create_task(self._exit_code(self._reader))
        return self.connection_info

    async def _reply(self, seconds: float) -> dict[str, Any]:
        """The supervisor's next line; empty where it has closed the connection. Raises TimeoutError."""
        assert self._reader is not None
        reply: dict[str, Any] = json.loads(await asyncio.wait_for(self._reader.readline(), seconds) or b"{}")
        return reply

    async def _exit_code(self, reader: asyncio.StreamReader) -> int:
        while line := await reader.readline():
            report = json.loads(line)
            if "exit" in report:
                if report.get("why"):
                    self.log.warning("kernel %s ended: %s", self.kernel_id, report["why"])
                return int(report["exit"])
        return -1

    async def poll(self) -> int | None:
        """None while it runs, else its exit code."""
        if self._exit is None:
            return 0
        return self._exit.result() if self._exit.done() else None

    async def wait(self) -> int | None:
        """Wait for its end."""
        if self._exit is None:
            return 0
        code = await asyncio.shield(self._exit)
        self._exit = None
        if self._writer:
            self._writer.close()
        return code

    async def send_signal(self, signum: int) -> None:
        """Have the supervisor send a signal."""
        if self._writer and not self._writer.is_closing():
            self._send({"signal": int(signum)})

    def announce_end(self) -> None:
        """Tell the supervisor that this kernel is to end and not to be started again, so that its slot is free then."""
        if self._writer and not self._writer.is_closing():
            self._send({"over": True})

    async def kill(self, restart: bool = False) -> None:
        """End it at once."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """Ask it to end."""
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:
        """Do nothing: the supervisor cleans up."""

    def _send(self, message: dict[str, Any]) -> None:
        assert self._writer is not None
        self._writer.write(json.dumps(message).encode() + b"\n")


def _below(cwd: Any, home: str) -> str:
    """A folder as a path relative to the home; empty when it is not below it."""
    there = os.path.relpath(str(cwd), home) if cwd else "."
    return "" if there == "." or there.startswith("..") else there
