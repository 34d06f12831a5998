"""The routes of the sealed server: every route outside this table is refused, also one that a new version adds.

Patterns are matched against the path below the base. No route lets a browser download a file: ``/files``,
``/nbconvert``, ``/terminals``, downloads of checkpoints and the routes of extensions are not in the table.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from jupyterlab_server.settings_handler import SettingsHandler
from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler

from lab.workspace.files.settings_allow_list import CheckedSettings
from lab.workspace.page.request_end import FOLLOWED

_KERNEL = r"[0-9a-f-]{36}"
_PATH = r"(?:/.*)?"
ALLOWED: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (pattern, frozenset(methods.split()))
    for pattern, methods in (
        (r"/?", "GET HEAD"),
        (r"/api", "GET HEAD"),
        (r"/api/status", "GET"),
        (r"/api/me", "GET"),
        (r"/oauth_callback", "GET"),
        (r"/logout", "GET"),
        (r"/lab(?:/workspaces/[\w-]+)?(?:/tree/.*)?", "GET HEAD"),
        (r"/lab/extensions/.*", "GET HEAD"),
        (r"/favicon\.ico", "GET HEAD"),
        (r"/static/.*", "GET HEAD"),
        (r"/api/contents" + _PATH, "GET POST PUT PATCH DELETE"),
        (r"/api/kernels", "GET POST"),
        (rf"/api/kernels/{_KERNEL}", "GET DELETE"),
        (rf"/api/kernels/{_KERNEL}/(?:interrupt|restart)", "POST"),
        (rf"/api/kernels/{_KERNEL}/channels", "GET"),
        (r"/api/kernelspecs" + _PATH, "GET"),
        (r"/kernelspecs/.*", "GET HEAD"),
        (r"/api/sessions", "GET POST"),
        (r"/api/sessions/[\w-]+", "GET PATCH DELETE"),
        (r"/lab/api/settings" + _PATH, "GET"),
        (r"/lab/api/settings/.+", "PUT"),  # of those in lab.workspace.files.settings_allow_list
        (r"/lab/api/workspaces" + _PATH, "GET PUT DELETE"),
        (r"/lab/api/(?:translations|themes|listings)" + _PATH, "GET"),
        (r"/api/security/csp-report", "POST"),
        (r"/api/workspace-notices", "GET"),
        (r"/api/events/subscribe", "GET"),  # notices of the server, such as the end of a kernel
    )
)
_COMPILED = tuple((re.compile(pattern), methods) for pattern, methods in ALLOWED)
REFUSED = "The workspace does not have this: nothing is downloaded here. What leaves goes by lab.carry_out."


def allowed(method: str, path: str) -> bool:
    """True when a request for ``path`` (below the base) may be answered."""
    written = {path, unquote(path)}  # a path is checked as it is written, and as handlers understand it
    if any(".." in each.split("/") or "\\" in each for each in written):
        return False
    return all(any(p.fullmatch(each) and method in methods for p, methods in _COMPILED) for each in written)


class Refusal(RequestHandler):
    """The handler of every refused request."""

    def prepare(self) -> None:
        """Respond 403 with a reason, for every method."""
        self.set_status(403)
        self.finish({"message": REFUSED, "reason": "not in the table of routes"})


def guard(app: Application) -> None:
    """Check every request of ``app`` against the table before a handler is chosen."""
    base = str(app.settings["base_url"]).rstrip("/")
    choose = app.find_handler

    def find_handler(request: HTTPServerRequest, **more: Any) -> Any:
        path = request.path or "/"
        below = path[len(base) :] if path.startswith(base) else None
        is_download = "download" in request.arguments
        if below is None or is_download or not allowed(request.method or "", below or "/"):
            return app.get_handler_delegate(request, Refusal)
        chosen = choose(request, **more)
        if getattr(chosen, "handler_class", None) is SettingsHandler:
            chosen.handler_class = CheckedSettings
        elif (handler := getattr(chosen, "handler_class", None)) in FOLLOWED:
            chosen.handler_class = FOLLOWED[handler]
        return chosen

    app.find_handler = find_handler  # type: ignore[method-assign]
