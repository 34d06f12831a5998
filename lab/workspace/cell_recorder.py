"""The log of cells (执行日志): no kernel sees code that the ledger has not, and what a cell read is written behind it.

Every message of a browser to a kernel passes here. What executes code is reported to the gateway, durable before it is
passed on; when that fails the cell is not run, and the notebook says why. Messages that execute code by another door
(the debugger) are not among those let through. When the cell has ended, the tables that were read meanwhile follow.
"""

from __future__ import annotations

import http.client
import json
from typing import Any

from jupyter_server.services.kernels.connection.base import deserialize_binary_message, deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from lab.workspace import gateway_reports

V1 = "v1.kernel.websocket.jupyter.org"
MESSAGES = (
    "execute_request", "complete_request", "inspect_request", "is_complete_request", "kernel_info_request",
    "history_request", "comm_info_request", "comm_open", "comm_msg", "comm_close", "input_reply", "interrupt_request",
    "shutdown_request", "create_subshell_request", "delete_subshell_request", "list_subshell_request",
)  # fmt: skip
READ = "lab_tables_read"  # the kernel's own word on what it read
_FAILURES = (OSError, ValueError, http.client.HTTPException)


class RecordingConnection(ZMQChannelsWebsocketConnection):  # type: ignore[misc]
    """A browser's connection to a kernel, with the log in between."""

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Report code, then pass the message on."""
        header, content = self._opened(incoming_msg)
        if header.get("msg_type") == "execute_request":
            try:
                code = gateway_reports.cell(str(self.kernel_id), code_of(content))
            except _FAILURES as error:
                self.log.error("a cell was not run, as it could not be recorded: %s", error)
                self._refuse(header, str(error))
                return
            self._at_work[str(header.get("msg_id"))] = (code, set())
        super().handle_incoming_message(incoming_msg)

    def handle_outgoing_message(self, stream: str, outgoing_msg: list[Any]) -> None:
        """Pass a kernel's message on; at the end of a cell, report what was read."""
        _, parts = self.session.feed_identities(outgoing_msg)
        if self._at_work and len(parts) > 4:
            self._look(*(json.loads(bytes(part)) for part in (parts[1], parts[2], parts[4])))
        super().handle_outgoing_message(stream, outgoing_msg)

    @property
    def _at_work(self) -> dict[str, tuple[str, set[str]]]:
        """The cells that run, by the id of their message: digest of the code, and what the kernel says it read."""
        found: dict[str, tuple[str, set[str]]] = self.__dict__.setdefault("_cells", {})
        return found

    def _look(self, header: dict[str, Any], parent: dict[str, Any], content: dict[str, Any]) -> None:
        name = str(parent.get("msg_id"))
        if name not in self._at_work:
            return
        code, told = self._at_work[name]
        if header.get("msg_type") == READ:
            told.update(str(table) for table in content.get("tables", ())[:200])
        elif header.get("msg_type") == "status" and content.get("execution_state") == "idle":
            del self._at_work[name]
            try:
                gateway_reports.tables(str(self.kernel_id), code, told)
            except _FAILURES as error:  # the cell itself is in the ledger, and has run
                self.log.error("what a cell read could not be recorded: %s", error)

    def _opened(self, message: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and content of a message in whichever of the three forms it came."""
        if self.subprotocol == V1:
            _, parts = deserialize_msg_from_ws_v1(message)
            return json.loads(bytes(parts[0])), json.loads(bytes(parts[3]))
        told = deserialize_binary_message(message) if isinstance(message, bytes) else json.loads(message)
        return told.get("header") or {}, told.get("content") or {}

    def _refuse(self, header: dict[str, Any], why: str) -> None:
        """Tell the browser, as a kernel would, that its cell was not run."""
        words = f"this cell could not be recorded, and was not run ({why})"
        said: dict[str, Any] = {"ename": "NotRun", "evalue": words, "traceback": [f"NotRun: {words}"]}
        for channel, kind, content in (
            ("iopub", "status", {"execution_state": "busy"}),
            ("iopub", "error", said),
            ("shell", "execute_reply", {"status": "error", "execution_count": 0, **said}),
            ("iopub", "status", {"execution_state": "idle"}),
        ):
            message = self.session.serialize(self.session.msg(kind, content=content, parent=header))
            _, parts = self.session.feed_identities(message)
            stream = self.channels.get(channel)
            if stream is not None:
                self._on_zmq_reply(stream, parts[1:] if self.subprotocol == V1 else self.session.deserialize(parts))


def code_of(content: dict[str, Any]) -> str:
    """The code of an execute request, with the expressions that are evaluated after it."""
    expressions = content.get("user_expressions") or {}
    lines = [str(content.get("code", "")), *(f"# user expression: {text}" for text in expressions.values())]
    return "\n".join(lines)
