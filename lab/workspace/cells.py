"""The log of cells (执行日志): no kernel sees code that the ledger has not.

Every message of a browser to a kernel passes here. What executes code is reported to the gateway, durable before it is
passed on; when that fails the cell is not run, and the notebook says why. Messages that execute code by another door
(the debugger) are not among those let through.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

from jupyter_server.services.kernels.connection.base import deserialize_binary_message, deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

GATEWAY = "/run/lab/gateway.sock"
SECONDS = 10.0
MESSAGES = (
    "execute_request", "complete_request", "inspect_request", "is_complete_request", "kernel_info_request",
    "history_request", "comm_info_request", "comm_open", "comm_msg", "comm_close", "input_reply", "interrupt_request",
    "shutdown_request", "create_subshell_request", "delete_subshell_request", "list_subshell_request",
)  # fmt: skip


class RecordingConnection(ZMQChannelsWebsocketConnection):  # type: ignore[misc]
    """A browser's connection to a kernel, with the log in between."""

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Report code, then pass the message on."""
        header, content = self._opened(incoming_msg)
        if header.get("msg_type") == "execute_request":
            try:
                record(str(self.kernel_id), code_of(content))
            except (OSError, ValueError, http.client.HTTPException) as error:
                self.log.error("a cell was not run, as it could not be recorded: %s", error)
                self._refuse(header, str(error))
                return
        super().handle_incoming_message(incoming_msg)

    def _opened(self, message: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and content of a message in whichever of the three forms it came."""
        if self.subprotocol == "v1.kernel.websocket.jupyter.org":
            _, parts = deserialize_msg_from_ws_v1(message)
            return json.loads(bytes(parts[0])), json.loads(bytes(parts[3]))
        told = deserialize_binary_message(message) if isinstance(message, bytes) else json.loads(message)
        return told.get("header") or {}, told.get("content") or {}

    def _refuse(self, header: dict[str, Any], why: str) -> None:
        """Tell the browser, as a kernel would, that its cell was not run."""
        said = {"ename": "NotRun", "evalue": f"this cell could not be recorded, and was not run ({why})"}
        said |= {"traceback": [f"NotRun: {said['evalue']}"]}  # type: ignore[dict-item]
        for channel, kind, content in (
            ("iopub", "status", {"execution_state": "busy"}),
            ("iopub", "error", said),
            ("shell", "execute_reply", {"status": "error", "execution_count": 0, **said}),
            ("iopub", "status", {"execution_state": "idle"}),
        ):
            message = self.session.msg(kind, content=content, parent=header)
            stream = self.channels.get(channel)
            _, parts = self.session.feed_identities(self.session.serialize(message))
            told = (
                self.session.deserialize(parts) if self.subprotocol != "v1.kernel.websocket.jupyter.org" else parts[1:]
            )
            if stream is not None:
                self._on_zmq_reply(stream, told)


def code_of(content: dict[str, Any]) -> str:
    """The code of an execute request, with the expressions that are evaluated after it."""
    expressions = content.get("user_expressions") or {}
    lines = [str(content.get("code", "")), *(f"# user expression: {text}" for text in expressions.values())]
    return "\n".join(lines)


def record(kernel: str, code: str) -> None:
    """Have the gateway write a cell into the ledger; raises :class:`ValueError` with its words when it does not."""
    body = json.dumps({"kernel": kernel, "code": code}).encode()
    status, told = _post("/v1/cells", body)
    if status >= 300:
        raise ValueError(f"{told.get('title', status)}: {told.get('detail', '')}")


def _post(path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("gateway", timeout=SECONDS)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(SECONDS)
    try:
        connection.sock.connect(GATEWAY)
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}
    finally:
        connection.close()
