"""The log of cells (执行日志): code is in the ledger before a kernel receives it.

Every message between a browser and a kernel passes here and is written again (:mod:`lab.workspace.outputs`). Code, also
code to complete or to inspect, is reported to the gateway and on disk before it is passed on; when that fails, it is
not run and the notebook shows the reason. What a cell reads is recorded by the machine's monitor, to which this reports
which cell runs; where there is none, the kernel's own report is passed on when the cell has ended.
"""

from __future__ import annotations

import http.client
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jupyter_server.services.kernels.connection.base import deserialize_binary_message, deserialize_msg_from_ws_v1

from credit.messages import Text, language_here
from lab.workspace import gateway_reports
from lab.workspace.cell_queue import WaitingCell, queue_of
from lab.workspace.kernel_manager import follow, opened
from lab.workspace.kernel_state import FollowedKernelConnection
from lab.workspace.outputs import browser_messages, kernel_messages

V1 = "v1.kernel.websocket.jupyter.org"
READ = "lab_tables_read"  # the kernel's own report of the tables it read
_DELIMITER = b"<IDS|MSG>"
_FAILURES = (OSError, ValueError, http.client.HTTPException)


@dataclass(slots=True)
class RunningCell:
    """A cell that was passed on: the digest of its code, and the tables that the kernel reported."""

    code: str
    monitored: bool
    tables: set[str] = field(default_factory=set)


class RecordingConnection(FollowedKernelConnection):
    """A browser's connection to a kernel that records every cell."""

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Write the message again, record the code in it, then pass it on: cells when their turn comes."""
        message = browser_messages.rewritten(*self._opened(incoming_msg))
        if message is None:
            self.log.warning("a message that no kernel receives was not passed on")
        elif message.kind == "execute_request":
            self._enqueue(message)
        elif not message.code or self._recorded(message):
            self._send(message, self.channels.get(message.channel))

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        """Track a kernel's message, and pass it on written again, or not at all."""
        header, parent, content = opened(self.session, outgoing_msg)
        if header is None:
            return
        if isinstance(parent, dict) and isinstance(header, dict) and header.get("msg_type") == READ:
            cell = self._running.get(str(parent.get("msg_id")))
            if cell and isinstance(content, dict):
                cell.tables.update(str(table) for table in content.get("tables", ())[:200])
        message = kernel_messages.rewritten(header, parent, content)
        if message is not None:
            idents, _ = self.session.feed_identities(outgoing_msg)
            packed = [self.session.pack(part) for part in (*message[:2], {}, message[2])]
            written = [*idents, _DELIMITER, self.session.sign(packed), *packed]
            super().handle_outgoing_message(stream, written)
        follow(str(self.kernel_id), header, parent, content)

    @property
    def _running(self) -> dict[str, RunningCell]:
        """The running cells by message id."""
        cells: dict[str, RunningCell] = self.__dict__.setdefault("_cells", {})
        return cells

    def _enqueue(self, message: browser_messages.BrowserMessage) -> None:
        name, stream = str(message.header["msg_id"]), self.channels.get(message.channel)
        cell = WaitingCell(
            name,
            message.content["stop_on_error"],
            pass_on=lambda: self._pass_on(message, stream),
            abort=lambda: self._refuse(message.header, None),
            ended=lambda: self._end(name),
        )
        queue_of(str(self.kernel_id)).add(cell)

    def _pass_on(self, message: browser_messages.BrowserMessage, stream: Any) -> bool:
        """Record a cell and pass it to the kernel; False when it was not, or the connection has gone."""
        if stream is None or stream.closed() or not self._recorded(message):
            return False
        self._send(message, stream)
        return True

    def _recorded(self, message: browser_messages.BrowserMessage) -> bool:
        """True when the code of a message is in the ledger; else the browser receives the reason."""
        kernel, name = str(self.kernel_id), str(message.header["msg_id"])
        is_cell = message.kind == "execute_request"
        try:
            code = gateway_reports.report_cell(kernel, message.code)
            if is_cell:
                self._running[name] = RunningCell(code, gateway_reports.begin_cell(kernel, name, code))
        except _FAILURES as error:
            self.log.error("code was not run, as it could not be recorded: %s", error)
            if is_cell:
                self._refuse(message.header, Text.verbatim(str(error)))
            return False
        return True

    def _send(self, message: browser_messages.BrowserMessage, stream: Any) -> None:
        if stream is not None:  # else the connection has closed meanwhile
            parts: tuple[dict[str, Any], ...] = (message.header | {"date": datetime.now(UTC)}, {}, {}, message.content)
            self.session.send_raw(stream, [self.session.pack(part) for part in parts])

    def _end(self, name: str) -> None:
        """Tell the monitor that a cell has ended; without one, pass on what the kernel says that it read."""
        cell, kernel = self._running.pop(name, None), str(self.kernel_id)
        try:
            gateway_reports.end_cell(kernel, name)
            if cell and not cell.monitored:
                gateway_reports.report_tables(kernel, cell.code, cell.tables)
        except _FAILURES as error:  # the cell itself is in the ledger, and has run
            self.log.error("the end of a cell could not be recorded: %s", error)

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

    def _refuse(self, header: dict[str, Any], why: Text | None) -> None:
        """Report to the browser, in a kernel's form, that its cell was not run: ``why``, or after another's error."""
        reply: dict[str, Any] = {"status": "aborted"}
        messages: list[tuple[str, str, dict[str, Any]]] = [("shell", "execute_reply", reply)]
        if why is not None:
            words = Text.of("cell-recorder.not-run", why=why).render(language_here())
            error: dict[str, Any] = {"ename": "NotRun", "evalue": words, "traceback": [f"NotRun: {words}"]}
            reply |= {"status": "error", "execution_count": 0, **error}
            messages.insert(0, ("iopub", "error", error))
        busy, idle = ({"execution_state": state} for state in ("busy", "idle"))
        for channel, kind, content in (("iopub", "status", busy), *messages, ("iopub", "status", idle)):
            message = self.session.serialize(self.session.msg(kind, content=content, parent=header))
            _, parts = self.session.feed_identities(message)
            stream = self.channels.get(channel)
            if stream is not None and not stream.closed():
                self._on_zmq_reply(stream, parts[1:] if self.subprotocol == V1 else self.session.deserialize(parts))
