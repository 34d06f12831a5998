"""Sends a kernel's records to the gateway, which writes them into the ledger before it answers.

They go over the gateway's control socket, which is the hub's alone: no sandbox, also not that of the workspace's
server, has a part in them.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from credit.unix_connection import UnixConnection

SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class GatewayRecorder:
    """The records of one workspace. ``practice`` is the seal of the practice tables that are mounted in it."""

    control: Path
    workspace: str
    practice: str = ""

    def read(self, record: dict[str, Any]) -> None:
        """Record that a table was read; raises :class:`OSError` when it is not in the ledger."""
        self._post("reads", record | {"practice": self.practice}, b"")

    def opened(self, record: dict[str, Any], content: bytes) -> None:
        """Record that a file of the home was opened, and keep its content; raises :class:`OSError`."""
        self._post("files", record, content)

    def _post(self, path: str, record: dict[str, Any], content: bytes) -> None:
        line = json.dumps(record).encode() + b"\n"
        address = f"/workspaces/{quote(self.workspace, safe='')}/{path}"
        try:
            status, _ = UnixConnection(self.control, "gateway", SECONDS).answer("POST", address, line + content, {})
        except http.client.HTTPException as error:
            raise OSError(f"the gateway did not answer: {type(error).__name__}") from error
        if status >= 300:
            raise OSError(f"the gateway recorded nothing: {status}")
