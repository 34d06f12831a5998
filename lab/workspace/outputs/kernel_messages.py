"""Messages from a kernel, each written again by its kind; a message of any other kind does not reach the browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lab.workspace.outputs import bundles

_NAME = re.compile(r"[\w.:-]{0,128}")
STATES = frozenset({"busy", "idle", "starting"})
_STATUS = frozenset({"ok", "error", "aborted", "abort"})
_LANGUAGE = {
    "name": "python",
    "version": "3",
    "mimetype": "text/x-python",
    "codemirror_mode": {"name": "ipython", "version": 3},
    "pygments_lexer": "ipython3",
    "nbconvert_exporter": "python",
    "file_extension": ".py",
}
Content = dict[str, Any]


def rewritten(header: Any, parent: Any, content: Any) -> tuple[Content, Content, Content] | None:
    """Header, parent header and content, written again; None for a message that a browser does not receive."""
    if not isinstance(header, dict) or not isinstance(content, dict):
        return None
    write = KINDS.get(str(header.get("msg_type")))
    return None if write is None else (_header(header), _header(parent), write(content))


def _header(given: Any) -> Content:
    header = given if isinstance(given, dict) else {}
    fields = ("msg_id", "msg_type", "session", "date", "version")
    kept = {name: value for name in fields if (value := str(header.get(name) or "")) and _is_name(value)}
    return kept and {"username": "", **kept}


def _is_name(value: str) -> bool:
    return _NAME.fullmatch(value.replace("+", "")) is not None


def _text(content: Content, *names: str) -> Content:
    return {name: value if isinstance(value := content.get(name), str) else "" for name in names}


def _count(content: Content, *names: str) -> Content:
    return {name: value if isinstance(value := content.get(name), int) else None for name in names}


def _status(content: Content) -> Content:
    status = str(content.get("status"))
    return {"status": status if status in _STATUS else "error"}


def _strings(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _error(content: Content) -> Content:
    return _text(content, "ename", "evalue") | {"traceback": _strings(content.get("traceback"))}


def _bundle(content: Content) -> Content:
    data, metadata = bundles.clean(content.get("data"), content.get("metadata"))
    return {"data": data, "metadata": metadata}


def _display(content: Content) -> Content:
    given = content.get("transient")
    display = given.get("display_id") if isinstance(given, dict) else None
    return _bundle(content) | {"transient": {"display_id": display} if isinstance(display, str) else {}}


def _stream(content: Content) -> Content:
    return {"name": "stderr" if content.get("name") == "stderr" else "stdout", **_text(content, "text")}


def _state(content: Content) -> Content:
    state = str(content.get("execution_state"))
    return {"execution_state": state if state in STATES else "idle"}


def _executed(content: Content) -> Content:
    """The reply to a cell: results of its expressions, pages of help, and text for a next cell."""
    expressions = content.get("user_expressions")
    results = {
        str(name): _status(each) | (_bundle(each) if each.get("status") == "ok" else _error(each))
        for name, each in (expressions.items() if isinstance(expressions, dict) else ())
        if isinstance(each, dict)
    }
    given = content.get("payload")
    payload = [_payload(each) for each in (given if isinstance(given, list) else ()) if isinstance(each, dict)]
    reply = _status(content) | _count(content, "execution_count")
    reply |= {"user_expressions": results, "payload": [each for each in payload if each]}
    return reply | (_error(content) if reply["status"] == "error" else {})


def _payload(given: Content) -> Content:
    if given.get("source") == "page":
        data, _ = bundles.clean(given.get("data"))
        return {"source": "page", "data": data, "start": 0}
    if given.get("source") == "set_next_input":
        return {"source": "set_next_input", **_text(given, "text"), "replace": given.get("replace") is True}
    return {}


def _completed(content: Content) -> Content:
    matches = _strings(content.get("matches"))
    places = {
        name: value if isinstance(value := content.get(name), int) else 0 for name in ("cursor_start", "cursor_end")
    }
    given = content.get("metadata")
    types = given.get("_jupyter_types_experimental") if isinstance(given, dict) else None
    kept = [
        _text(each, "text", "type", "signature") | {name: places[f"cursor_{name}"] for name in ("start", "end")}
        for each in (types if isinstance(types, list) else ())
        if isinstance(each, dict)
    ]
    metadata = {"_jupyter_types_experimental": kept} if kept else {}
    return _status(content) | places | {"matches": matches, "metadata": metadata}


def _inspected(content: Content) -> Content:
    return _status(content) | _bundle(content) | {"found": content.get("found") is True}


def _history(content: Content) -> Content:
    """Earlier cells: session, line and text of each."""
    given = content.get("history")
    lines = [each for each in given if isinstance(each, list) and len(each) == 3] if isinstance(given, list) else []
    return _status(content) | {
        "history": [[session, line, text] for session, line, text in lines if _is_line(session, line, text)]
    }


def _is_line(session: Any, line: Any, text: Any) -> bool:
    return isinstance(session, int) and isinstance(line, int) and isinstance(text, str)


def _described(content: Content) -> Content:
    """What a kernel says of itself: no banner and no links, which JupyterLab puts into its menu of help."""
    return {
        "status": "ok",
        **_text(content, "protocol_version", "implementation", "implementation_version"),
        "language_info": _LANGUAGE,
        "banner": "",
        "help_links": [],
        "debugger": False,
        "supported_features": [],
    }


KINDS: dict[str, Callable[[Content], Content]] = {
    "stream": _stream,
    "error": _error,
    "display_data": _display,
    "update_display_data": _display,
    "execute_result": lambda content: _display(content) | _count(content, "execution_count"),
    "clear_output": lambda content: {"wait": content.get("wait") is True},
    "status": _state,
    "execute_input": lambda content: _text(content, "code") | _count(content, "execution_count"),
    "execute_reply": _executed,
    "complete_reply": _completed,
    "inspect_reply": _inspected,
    "is_complete_reply": lambda content: _text(content, "status", "indent"),
    "kernel_info_reply": _described,
    "history_reply": _history,
    "comm_info_reply": lambda content: {"status": "ok", "comms": {}},
    "shutdown_reply": lambda content: _status(content) | {"restart": content.get("restart") is True},
    "interrupt_reply": _status,
}
