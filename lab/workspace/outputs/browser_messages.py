"""Messages from a browser to a kernel, each written again: only text that is recorded as a cell can carry code.

Comms, standard input and the debugger would bring a kernel code that no ledger has. So no such message is passed on,
nor metadata, buffers, or a header's further fields.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_ID = re.compile(r"[0-9a-f-]{1,36}")
CODE = ("execute_request", "complete_request", "inspect_request", "is_complete_request")
CONTROL = ("interrupt_request", "shutdown_request")
_LAST_CELLS = {"output": False, "raw": True, "hist_access_type": "tail", "n": 500}
FIXED = {"kernel_info_request": {}, "comm_info_request": {}, "history_request": _LAST_CELLS}
KINDS = (*CODE, *CONTROL, *FIXED)


@dataclass(frozen=True, slots=True)
class BrowserMessage:
    """A message that may be passed on. ``code`` is the text to record before that; empty when it carries none."""

    channel: str
    header: dict[str, Any]
    content: dict[str, Any]
    code: str = ""

    @property
    def kind(self) -> str:
        """The message's type."""
        return str(self.header["msg_type"])


def rewritten(channel: Any, header: Any, content: Any) -> BrowserMessage | None:
    """The message, written again; None when it is of no kind that a kernel receives or is not well formed."""
    if not isinstance(header, dict) or not isinstance(content, dict) or header.get("msg_type") not in KINDS:
        return None
    name, session, kind = (str(header.get(field) or "") for field in ("msg_id", "session", "msg_type"))
    if not _ID.fullmatch(name) or not _ID.fullmatch(session):
        return None
    own = {"msg_id": name, "msg_type": kind, "session": session, "username": "", "version": "5.4"}
    if kind in CONTROL:
        given = {"restart": content.get("restart") is True} if kind == "shutdown_request" else {}
        return BrowserMessage("control", own, given)
    if kind in FIXED:
        return BrowserMessage("control" if channel == "control" else "shell", own, FIXED[kind])
    code = content.get("code")
    if not isinstance(code, str):
        return None
    if kind == "execute_request":
        executed = _executed(code, content)
        return BrowserMessage("shell", own, executed, code_of(executed))
    place = content.get("cursor_pos")
    at = place if isinstance(place, int) and 0 <= place <= len(code) else len(code)
    request = {"code": code, "cursor_pos": at}
    if kind == "inspect_request":
        request["detail_level"] = 1 if content.get("detail_level") == 1 else 0
    return BrowserMessage("shell", own, request, f"# {kind.removesuffix('_request')} at {at}\n{code}")


def _executed(code: str, content: dict[str, Any]) -> dict[str, Any]:
    given = content.get("user_expressions")
    return {
        "code": code,
        "silent": content.get("silent") is True,
        "store_history": content.get("store_history") is not False,
        "user_expressions": {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {},
        "allow_stdin": False,
        "stop_on_error": content.get("stop_on_error") is not False,
    }


def code_of(content: dict[str, Any]) -> str:
    """The code of an execute request, with the expressions that are evaluated after it and their names."""
    lines = [f"# user expression {name}: {text}" for name, text in content["user_expressions"].items()]
    return "\n".join([content["code"], *lines])
