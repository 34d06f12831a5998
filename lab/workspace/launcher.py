"""How the sealed server starts a kernel: it asks the keeper outside, who runs it in a sandbox of its own.

A kernel provisioner (Jupyter's own seam for this,
https://jupyter-client.readthedocs.io/en/stable/provisioning.html). What a kernel specification says to run does not
matter: the keeper decides.
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

SOCKET = "/run/keep/keep.sock"
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
SECONDS = 60.0


class SealedProvisioner(KernelProvisionerBase):  # type: ignore[misc]
    """One kernel: an open connection to the keeper."""

    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None
    _exit: asyncio.Task[int] | None = None

    @property
    def has_process(self) -> bool:
        """True from launch until the exit has been told."""
        return self._exit is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Say where the kernel's sockets will be: in a folder of that kernel's."""
        manager = self.parent
        manager.transport, manager.ip = "ipc", f"/run/kernels/{self.kernel_id}/k"
        for number, port in enumerate(PORTS, start=1):
            setattr(manager, port, number)
        self.connection_info = manager.get_connection_info()
        prepared: dict[str, Any] = await super().pre_launch(cmd=[], **kwargs)
        return prepared

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Ask the keeper; answers 503 with its words when it refuses."""
        self._reader, self._writer = await asyncio.open_unix_connection(SOCKET)
        key = self.connection_info["key"]
        asked = {
            "kernel": self.kernel_id,
            "key": key.decode() if isinstance(key, bytes) else key,
            "cwd": _below(kwargs.get("cwd"), os.environ.get("JUPYTERHUB_ROOT_DIR", "/home/lab")),
        }
        self._send(asked)
        told = json.loads(await asyncio.wait_for(self._reader.readline(), SECONDS) or b"{}")
        if "started" not in told:
            self._writer.close()
            why = str(told.get("error") or told.get("why") or "the kernel was not started")
            raise HTTPError(503, why, reason="No kernel was started")
        self._exit = asyncio.create_task(self._told_exit(self._reader))
        return self.connection_info

    async def _told_exit(self, reader: asyncio.StreamReader) -> int:
        while line := await reader.readline():
            told = json.loads(line)
            if "exit" in told:
                if told.get("why"):
                    self.log.warning("kernel %s ended: %s", self.kernel_id, told["why"])
                return int(told["exit"])
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
        """Have the keeper send a signal."""
        if self._writer and not self._writer.is_closing():
            self._send({"signal": int(signum)})

    async def kill(self, restart: bool = False) -> None:
        """End it at once."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """Ask it to end."""
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:
        """The keeper cleans up."""

    def _send(self, told: dict[str, Any]) -> None:
        assert self._writer is not None
        self._writer.write(json.dumps(told).encode() + b"\n")


def _below(cwd: Any, home: str) -> str:
    """A folder as a path below the home."""
    there = os.path.relpath(str(cwd), home) if cwd else "."
    return "" if there == "." or there.startswith("..") else there
