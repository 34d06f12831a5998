"""The client of the front desk: requests over its unix socket, as the command line and the console make them.

Whom the desk takes for the person is decided there: by the token given here, or by the user who runs this process.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from credit.errors import Broken, Missing
from credit.messages import Text
from credit.requests.failure import error_of
from credit.requests.request import Stage
from credit.requests.task import ReportStep
from credit.unix_connection import UnixConnection

WAIT = 10  # seconds that one question for a request's state may take


class DeskUnavailable(Missing):
    """No desk answers at the socket."""


@dataclass(frozen=True, slots=True)
class DeskClient:
    """A client of the desk at ``path``. ``token`` is one of the hub's; ``by`` counts in an invented home alone."""

    path: Path
    token: str = ""
    by: str = ""
    seconds: float = 60

    def call(self, method: str, address: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One call; its JSON answer. Raises the error that the desk answers with, or :class:`DeskUnavailable`."""
        connection = UnixConnection(self.path, "desk", self.seconds)
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.by:
            headers["X-Acting-By"] = quote(self.by)
        try:
            sent = None if body is None else json.dumps(body).encode()
            status, content = connection.answer(method, address, sent, headers)
        except FileNotFoundError as error:
            raise DeskUnavailable("desk-client.no-desk") from error
        except (OSError, http.client.HTTPException) as error:
            raise DeskUnavailable(
                "desk-client.desk-does-not-answer", why=Text.verbatim(type(error).__name__)
            ) from error
        try:
            data = json.loads(content)
        except ValueError as error:
            raise Broken("desk-client.unreadable", status=status) from error
        if status >= 400 or not isinstance(data, dict):
            raise error_of(data if isinstance(data, dict) else {})
        return data

    def request(self, verb: str, arguments: Mapping[str, Any], *, today: str = "") -> dict[str, Any]:
        """Make a request; its state. The same request of the same person that has not ended is returned again."""
        return self.call("POST", "/requests", {"verb": verb, "arguments": dict(arguments), "today": today})

    def state(self, request_id: str, *, since: str = "") -> dict[str, Any]:
        """The state of a request; waits up to :data:`WAIT` seconds for another one than ``since`` (its ``mark``)."""
        return self.call("GET", f"/requests/{request_id}?since={quote(since)}")

    def cancel(self, request_id: str) -> dict[str, Any]:
        """Cancel a request that has not ended; its state."""
        return self.call("POST", f"/requests/{request_id}/cancel")

    def wait(self, state: dict[str, Any], report: ReportStep) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Wait for the end of a request; the result of each step, and the private result.

        Raises the error with which a step failed, and :class:`DeskUnavailable`.
        """
        while state["stage"] == Stage.OPEN:
            if state["broken"]:
                raise error_of(state["broken"])
            label = state["progress"].get("label") or f"waiting for {state['zone']}"
            report(label, int(state["progress"].get("done", 0)), int(state["progress"].get("total", 0)))
            state = self.state(state["id"], since=state["mark"])
        if state["stage"] == Stage.FAILED:
            raise error_of(state["failure"])
        if state["stage"] == Stage.CANCELLED:
            raise error_of(
                {"kind": "refused", "message": {"id": "desk-client.cancelled", "params": {"verb": state["verb"]}}}
            )
        return state["results"], state["private"]
