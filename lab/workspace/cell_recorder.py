"""The log of cells (执行日志): code is in the ledger before a kernel receives it, and the tables it read are recorded
after.

Every message between a browser and a kernel passes here and is written again (:mod:`lab.workspace.outputs`). Code, also
code to complete or to inspect, is reported to the gateway and on disk before it is passed on; when that fails, it is
not run and the notebook shows the reason. When the cell has ended, the tables that it read are reported.
"""

from __future__ import annotations

import http.client
import json
import struct
from datetime import UTC, datetime
from typing import Any

from jupyter_server.services.kernels.connection.base import deserialize_binary_message, deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from credit.messages import Text, language_here
from lab.workspace import gateway_reports
from lab.workspace.outputs import browser_messages, kernel_messages

V1 = "v1.kernel.websocket.jupyter.org"
READ = "lab_tables_read"  # the kernel's own report of the tables it read
_DELIMITER = b"<IDS|MSG>"
_FAILURES = (OSError, ValueError, http.client.HTTPException)


class RecordingConnection(ZMQChannelsWebsocketConnection):  # type: ignore[misc]
    """A browser's connection to a kernel that records every cell."""

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Write the message again, record the code in it, then pass it on."""
        message = browser_messages.rewritten(*self._opened(incoming_msg))
        if message is None:
            self.log.warning("a message that no kernel receives was not passed on")
            return
        if message.code:
            try:
                code = gateway_reports.report_cell(str(self.kernel_id), message.code)
            except _FAILURES as error:
                self.log.error("code was not run, as it could not be recorded: %s", error)
                if message.kind == "execute_request":
                    self._refuse(message.header, Text.verbatim(str(error)))
                return
            if message.kind == "execute_request":
                self._running[message.header["msg_id"]] = (code, set())
        stream = self.channels.get(message.channel)
        if stream is not None:  # else the connection has closed meanwhile
            parts: tuple[dict[str, Any], ...] = (message.header | {"date": datetime.now(UTC)}, {}, {}, message.content)
            self.session.send_raw(stream, [self.session.pack(part) for part in parts])

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        """Track a kernel's message, and pass it on written again, or not at all."""
        idents, parts = self.session.feed_identities(outgoing_msg)
        try:
            header, parent, _, content = (json.loads(bytes(part)) for part in parts[1:5])
        except ValueError:  # not JSON, or not four parts
            return
        if self._running and isinstance(header, dict) and isinstance(parent, dict) and isinstance(content, dict):
            self._track(header, parent, content)
        message = kernel_messages.rewritten(header, parent, content)
        if message is not None:
            packed = [self.session.pack(part) for part in (*message[:2], {}, message[2])]
            written = [*idents, _DELIMITER, self.session.sign(packed), *packed]
            super().handle_outgoing_message(stream, written)

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

    def _opened(self, message: Any) -> tuple[Any, Any, Any]:
        """Channel, header and content of a message in any of Jupyter's three wire formats; None where it has none."""
        try:
            if self.subprotocol == V1:
                channel, parts = deserialize_msg_from_ws_v1(message)
                return channel, json.loads(bytes(parts[0])), json.loads(bytes(parts[3]))
            decoded = deserialize_binary_message(message) if isinstance(message, bytes) else json.loads(message)
            return decoded.get("channel"), decoded.get("header"), decoded.get("content")
        except (ValueError, LookupError, AttributeError, struct.error):
            return None, None, None

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
