"""The notices (提示) of the workspace for its open page, and the words of our parts of that page.

The page asks every few seconds (``share/labextensions/haihe-page``) and shows each notice once. They are the
supervisor's alone: no kernel and no file of the home has a word in them.
"""

from __future__ import annotations

import json

from anyio.to_thread import run_sync
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.web import Application, HTTPError, authenticated

from credit.messages import Text, language_here
from lab.workspace import gateway_reports

ROUTE = "/api/workspace-notices"


class NoticesHandler(APIHandler):  # type: ignore[misc]
    """``{"notices": [{"id", "text"}], "console": label, "kernels": label}``."""

    auth_resource = "kernels"
    _track_activity = False  # a page that is merely open is no one at work

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Respond with what holds now; 503 where the supervisor does not answer."""
        try:
            current = await run_sync(gateway_reports.notices)
        except (OSError, ValueError) as error:
            raise HTTPError(503, "the workspace's supervisor did not answer") from error
        shown = [{"id": str(each["id"]), "text": str(each["text"])} for each in current]
        labels = {"console": Text.of("workspace-page.console"), "kernels": Text.of("workspace-page.kernels")}
        words = {name: text.render(language_here()) for name, text in labels.items()}
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"notices": shown, **words}))


def install(app: Application) -> None:
    """Add the route to the server's."""
    app.add_handlers(".*$", [(url_path_join(app.settings["base_url"], ROUTE), NoticesHandler)])
