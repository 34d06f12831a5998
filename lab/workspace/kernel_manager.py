"""The kernels of the server, with an ear of our own on each: when a cell has ended, the next one is passed on.

A browser may have left meanwhile, so its connection alone cannot be relied upon. And a kernel that is shut down while
it is being restarted, because it died, ends: Jupyter's managers would refuse, and it would run on.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager, ServerKernelManager

from lab.workspace.cell_queue import queue_of
from lab.workspace.launcher import SealedProvisioner


class KernelInTurn(ServerKernelManager):  # type: ignore[misc]
    """One kernel, which is not restarted once it is to end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._restarting, self._is_to_end = asyncio.Lock(), False

    async def restart_kernel(self, now: bool = False, newports: bool = False, **kw: Any) -> None:
        """Restart it, as when it has died, unless it is to end."""
        async with self._restarting:
            if not self._is_to_end:
                await super().restart_kernel(now, newports, **kw)

    async def no_more_restarts(self) -> None:
        """Wait for a restart that is under way, and let none follow."""
        self._is_to_end = True
        if isinstance(self.provisioner, SealedProvisioner):
            self.provisioner.announce_end()
        async with self._restarting:
            pass


class SealedKernelManager(AsyncMappingKernelManager):  # type: ignore[misc]
    """Jupyter Server's kernels, which also tell the queue of cells what a kernel reports."""

    async def shutdown_kernel(self, kernel_id: str, now: bool = False, restart: bool = False) -> None:
        """End a kernel, also one that is being restarted; raises HTTPError 404 where there is none."""
        self._check_kernel_id(kernel_id)
        if not restart:
            await self.get_kernel(kernel_id).no_more_restarts()
        await super().shutdown_kernel(kernel_id, now=now, restart=restart)

    def start_watching_activity(self, kernel_id: str) -> None:
        """Listen to a kernel, for its state as before and for the ends of its cells."""
        super().start_watching_activity(kernel_id)
        kernel = self._kernels[kernel_id]
        kernel._end_stream = kernel.connect_iopub()
        kernel._end_stream.on_recv(lambda parts: follow(kernel_id, *opened(kernel.session, parts)))

    def stop_watching_activity(self, kernel_id: str) -> None:
        """Listen no longer."""
        stream = getattr(self._kernels[kernel_id], "_end_stream", None)
        if stream is not None and not stream.closed():
            stream.close()
        super().stop_watching_activity(kernel_id)


def opened(session: Any, parts: list[Any]) -> tuple[Any, Any, Any]:
    """Header, parent and content of a kernel's message; None where it has none."""
    try:
        _, rest = session.feed_identities(parts)
        header, parent, _, content = (json.loads(bytes(part)) for part in rest[1:5])
    except ValueError:  # not JSON, not four parts, no delimiter
        return None, None, None
    return header, parent, content


def follow(kernel: str, header: Any, parent: Any, content: Any) -> None:
    """Tell the queue of a kernel that a cell failed or has ended, where a message says so."""
    if not (isinstance(header, dict) and isinstance(parent, dict) and isinstance(content, dict)):
        return
    message, kind = str(parent.get("msg_id")), header.get("msg_type")
    if kind == "error":
        queue_of(kernel).failed(message)
    elif kind == "status" and content.get("execution_state") == "idle":
        queue_of(kernel).ended(message)
