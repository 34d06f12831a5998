"""The sealed server: JupyterLab on an inherited socket, restricted to :mod:`lab.workspace.route_allow_list`.

It reads no configuration of the user: this file is all of its configuration. It runs in a sandbox without data; kernels
run in other sandboxes (:mod:`lab.workspace.launcher`), and each cell is reported before a kernel sees it
(:mod:`lab.workspace.cell_recorder`).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

from jupyter_server.serverapp import ServerApp
from jupyter_server.services.contents.filecheckpoints import AsyncGenericFileCheckpoints
from jupyterhub.singleuser.extension import JupyterHubSingleUser
from traitlets.config import Config

from credit.messages import of_environment
from lab.workspace.cell_recorder import RecordingConnection
from lab.workspace.contents import SealedContents
from lab.workspace.kernel_manager import KernelInTurn, SealedKernelManager
from lab.workspace.outputs.browser_messages import KINDS
from lab.workspace.page import notices
from lab.workspace.route_allow_list import guard

HERE = Path(__file__).parent
NOWHERE = "/tmp/home"
HOME = "/home/lab"
STATE = "/srv/lab"  # the server's own folder: a kernel could put a link into the home
CHECKPOINTS = f"{STATE}/checkpoints"
POLICY = "; ".join(
    (  # the output of a cell must not send data through the researcher's browser: only this origin is loaded, and no
        # page, window, download or form leads away
        "sandbox allow-scripts allow-same-origin allow-forms allow-modals",
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src data: blob:",  # an address of this hub can act, such as the one that signs out
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "frame-src 'none'",
        "object-src 'none'",
        "form-action 'none'",
        "base-uri 'self'",
        "frame-ancestors 'none'",
    )
)
OUTPUT_RATE = 8 << 20  # bytes per second from a kernel to a browser


class SealedServerApp(ServerApp):  # type: ignore[misc]
    """Jupyter Server that listens on an inherited descriptor, and reports on another when it is ready."""

    def _bind_http_server_unix(self) -> bool:
        notices.install(self.web_app)
        guard(self.web_app)
        listening = socket.socket(fileno=int(os.environ["HAIHE_WORKSPACE_FD"]))
        listening.setblocking(False)
        self.http_server.add_socket(listening)
        ready = int(os.environ["HAIHE_WORKSPACE_READY"])
        os.write(ready, b"1")
        os.close(ready)
        return True


class SealedSingleUser(JupyterHubSingleUser):  # type: ignore[misc]
    """The same server behind JupyterHub's login."""

    serverapp_class = SealedServerApp

    @classmethod
    def get_extension_package(cls) -> str:
        """The module in which Jupyter Server finds this extension."""
        return __name__

    @classmethod
    def make_serverapp(cls, **more: Any) -> ServerApp:
        """The server, configured by this file alone."""
        extensions = {**more.pop("jpserver_extensions", {}), "jupyterlab": True}
        return super().make_serverapp(config=configuration(), jpserver_extensions=extensions, **more)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": __name__, "app": SealedSingleUser}]


def settings_folder(language: str, place: Path = Path("/tmp/labconfig")) -> Path:
    """The folder of JupyterLab's defaults for a language; what the person sets in JupyterLab goes before them.

    ``LANG`` alone does not do it: JupyterLab takes the locale of the process, and the machine may not have zh_CN.
    """
    shipped = HERE / "share" / "labconfig"
    if language != "zh":
        return shipped
    shutil.copytree(shipped, place, dirs_exist_ok=True)
    (place / "overrides.d").mkdir(exist_ok=True)
    locale = {"@jupyterlab/translation-extension:plugin": {"locale": "zh_CN"}}
    (place / "overrides.d" / "language.json").write_text(json.dumps(locale), encoding="utf-8")
    return place


def configuration() -> Config:
    """The whole configuration of the server."""
    settings: dict[str, dict[str, Any]] = {
        "ServerApp": {
            "sock": "/run/given",  # never opened: the setting only says that the server listens on a Unix socket
            "port": 8888,
            "root_dir": HOME,
            "terminals_enabled": False,
            "reraise_server_extension_failures": True,
            "kernel_websocket_connection_class": RecordingConnection,
            "kernel_manager_class": SealedKernelManager,
            "contents_manager_class": SealedContents,
            "max_body_size": 64 << 20,
            "tornado_settings": {"headers": {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}},
            "mathjax_url": "",
            "allow_external_kernels": False,
        },
        "ZMQChannelsWebsocketConnection": {"iopub_data_rate_limit": OUTPUT_RATE},
        "FileContentsManager": {"allow_hidden": False},
        "ContentsManager": {"checkpoints_class": AsyncGenericFileCheckpoints},
        "FileCheckpoints": {"root_dir": CHECKPOINTS},
        "KernelProvisionerFactory": {"default_provisioner_name": "sealed"},
        "KernelSpecManager": {"allowed_kernelspecs": {"python3"}, "ensure_native_kernel": False},
        "MappingKernelManager": {"allowed_message_types": list(KINDS), "root_dir": HOME},
        "SealedKernelManager": {"kernel_manager_class": f"{KernelInTurn.__module__}.{KernelInTurn.__name__}"},
        "LabApp": {
            "extension_manager": "readonly",
            "extensions_in_dev_mode": False,
            "news_url": None,
            "app_settings_dir": str(settings_folder(of_environment(os.environ))),
            "collaborative": False,
            "user_settings_dir": f"{STATE}/settings",
            "workspaces_dir": f"{STATE}/workspaces",
        },
    }
    return Config(settings)


def main() -> None:
    """Run until a signal stops it. It reads nothing from the user's home, and only sockets from outside."""
    os.umask(0o007)
    share = str(HERE / "share")
    for folder in (NOWHERE, CHECKPOINTS):
        os.makedirs(folder, mode=0o700, exist_ok=True)
    os.environ |= {
        "HOME": NOWHERE,  # an empty home: JupyterHub ignores modules below it, and the installation may lie in /tmp
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_CONFIG_DIR": share,
        "JUPYTER_PATH": share,
        "JUPYTER_DATA_DIR": "/tmp/jupyter",
        "JUPYTER_RUNTIME_DIR": "/tmp/jupyter/runtime",
        "JUPYTERHUB_ROOT_DIR": HOME,
        "JUPYTERHUB_DEFAULT_URL": "/lab",
    }
    SealedSingleUser.launch_instance(argv=[])
