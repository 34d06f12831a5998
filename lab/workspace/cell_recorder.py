"""The log of cells (执行日志): code is in the ledger before a kernel receives it, and the tables it read are recorded
after.

Every message from a browser to a kernel passes here. A message that executes code is reported to the gateway and on
disk before it is passed on; when that fails, the cell is not run and the notebook shows the reason. Other messages that
execute code (the debugger) are not allowed. When the cell has ended, the tables that it read are reported.
"""

from __future__ import annotations

import http.client
import json
from typing import Any

from jupyter_server.services.kernels.connection.base import deserialize_binary_message, deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from credit.messages import Text, language_here
from lab.workspace import gateway_reports

V1 = "v1.kernel.websocket.jupyter.org"
MESSAGES = (
    "execute_request", "complete_request", "inspect_request", "is_complete_request", "kernel_info_request",
    "history_request", "comm_info_request", "comm_open", "comm_msg", "comm_close", "input_reply", "interrupt_request",
    "shutdown_request", "create_subshell_request", "delete_subshell_request", "list_subshell_request",
)  # fmt: skip
READ = "lab_tables_read"  # the kernel's own report of the tables it read
_FAILURES = (OSError, ValueError, http.client.HTTPException)


class RecordingConnection(ZMQChannelsWebsocketConnection):  # type: ignore[misc]
    """A browser's connection to a kernel that records every cell."""

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Report code, then pass the message on."""
        header, content = self._opened(incoming_msg)
        if header.get("msg_type") == "execute_request":
            try:
                code = gateway_reports.report_cell(str(self.kernel_id), code_of(content))
            except _FAILURES as error:
                self.log.error("a cell was not run, as it could not be recorded: %s", error)
                self._refuse(header, Text.verbatim(str(error)))
                return
            self._running[str(header.get("msg_id"))] = (code, set())
        super().handle_incoming_message(incoming_msg)

    def handle_outgoing_message(self, stream: str, outgoing_msg: list[Any]) -> None:
        """Pass a kernel's message on; at the end of a cell, report the tables that it read."""
        _, parts = self.session.feed_identities(outgoing_msg)
        if self._running and len(parts) > 4:
            self._track(*(json.loads(bytes(part)) for part in (parts[1], parts[2], parts[4])))
        super().handle_outgoing_message(stream, outgoing_msg)

    @property
    def _running(self) -> dict[str, tuple[str, set[str]]]:
        """The running cells by message id: the digest of the code, and the tables that the kernel reported."""
        cells: dict[str, tuple[str, set[str]]] = self.__dict__.setdefault("_cells", {})
        return cells

    def _track(self, header: dict[str, Any], parent: dict[str, Any], content: dict[str, Any]) -> None:
        name = str(parent.get("msg_id"))
        if name not in self._running:
            return
        code, tables = self._running[name]
        if header.get("msg_type") == READ:
            tables.update(str(table) for table in content.get("tables", ())[:200])
        elif header.get("msg_type") == "status" and content.get("execution_state") == "idle":
            del self._running[name]
            try:
                gateway_reports.report_tables(str(self.kernel_id), code, tables)
            except _FAILURES as error:  # the cell itself is in the ledger, and has run
                self.log.error("what a cell read could not be recorded: %s", error)

    def _opened(self, message: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and content of a message in any of the three wire formats of Jupyter."""
        if self.subprotocol == V1:
            _, parts = deserialize_msg_from_ws_v1(message)
            return json.loads(bytes(parts[0])), json.loads(bytes(parts[3]))
        decoded = deserialize_binary_message(message) if isinstance(message, bytes) else json.loads(message)
        return decoded.get("header") or {}, decoded.get("content") or {}

    def _refuse(self, header: dict[str, Any], why: Text) -> None:
        """Report to the browser, in the form of a kernel's error, that its cell was not run."""
        words = Text.of("cell-recorder.not-run", why=why).render(language_here())
        error: dict[str, Any] = {"ename": "NotRun", "evalue": words, "traceback": [f"NotRun: {words}"]}
        for channel, kind, content in (
            ("iopub", "status", {"execution_state": "busy"}),
            ("iopub", "error", error),
            ("shell", "execute_reply", {"status": "error", "execution_count": 0, **error}),
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
