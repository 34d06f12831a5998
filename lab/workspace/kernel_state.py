"""A browser learns a kernel's state (忙, 空闲) as it connects, from the server, whatever the kernel publishes then.

Jupyter Server asks a kernel that is busy for nothing when a browser connects, and the subscription to what the kernel
publishes can take effect after the kernel said that it is idle. Such a notebook would be shown as connecting for ever.
The server follows every kernel by a subscription of its own, as old as the kernel, so it knows the state.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.websocket import WebSocketClosedError

from lab.workspace.outputs.kernel_messages import STATES


class FollowedKernelConnection(ZMQChannelsWebsocketConnection):  # type: ignore[misc]
    """A connection that begins with the kernel's state, and sends each change of it until the kernel itself is
    received, from which on nothing is lost.
    """

    _follows = False

    def connect(self) -> Any:
        """Connect as Jupyter Server does; the state is sent once the channels are subscribed."""
        connected = super().connect()
        if connected is not None:
            connected.add_done_callback(self._follow)
        return connected

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        """Pass a kernel's message on; with the first one that it published the subscription is there."""
        if getattr(stream, "channel", None) == "iopub":
            self._end_following()
        super().handle_outgoing_message(stream, outgoing_msg)

    def disconnect(self) -> Any:
        """Disconnect, and follow the kernel no longer."""
        self._end_following()
        return super().disconnect()

    def _follow(self, _: Any) -> None:
        if self.websocket_handler.ws_connection is None:  # the browser has gone meanwhile
            return
        self._follows = True
        self.kernel_manager.observe(self._send_state, "execution_state")
        self._send_state()

    def _end_following(self) -> None:
        if self._follows:
            self._follows = False
            self.kernel_manager.unobserve(self._send_state, "execution_state")

    def _send_state(self, _: Any = None) -> None:
        state = str(self.kernel_manager.execution_state)  # a kernel can send any text as its state
        if state in STATES:
            with suppress(WebSocketClosedError):
                self._send_status_message(state)
