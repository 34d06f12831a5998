"""The hub's whole configuration as a function of its settings. Nothing behind the proxy listens on a TCP port."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infra.desk.running import named_socket
from infra.hub import page_texts
from infra.hub.authenticator import LabAuthenticator
from infra.hub.cli_service import SERVICE, cli_service
from infra.hub.proxy import LabProxy, command
from infra.hub.settings import HubSettings
from infra.hub.spawner import SandboxSpawner
from infra.zone_users import process_of

PAGES = Path(__file__).parent / "pages"
CONSOLE = "/services/console/"
SCOPES = [f"access:services!service={name}" for name in ("console", SERVICE)]
ROLES = ("researcher", "reviewer", "platform", "city", "auditor", "bank")
SECURE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def configure(c: Any, settings: HubSettings) -> None:
    """Write ``settings`` into a traitlets configuration."""
    _hub(c, settings)
    _people(c, settings)
    _console(c, settings)
    if settings.spawner == "kubernetes":
        from infra.hub.kubernetes import configure as on_a_cluster

        on_a_cluster(c, settings)
    else:
        c.JupyterHub.spawner_class = SandboxSpawner
        c.SandboxSpawner.lab = settings


def make_socket_folder(settings: HubSettings) -> None:
    """Make the folder of the hub's socket; the socket takes its group.

    Where zones have users of their own, their group may open the socket, at which the desk verifies tokens. A process
    that opens it still needs a token.
    """
    desk, folder = process_of(settings.place, "desk"), settings.socket.parent
    folder.mkdir(mode=0o711, exist_ok=True)
    if desk:
        os.chown(folder, -1, desk["group"])
        folder.chmod(0o2711)


def first_page(handler: Any) -> str:
    """Where someone lands who signed in and asked for no page: researchers in a workspace, everyone else in the
    console."""
    user = handler.current_user
    groups = {group.name for group in user.groups} if user else set()
    return CONSOLE if groups and "researcher" not in groups else ""


def socket_url(path: Path) -> str:
    """The URL of a unix socket in JupyterHub's form."""
    return f"http+unix://{quote(str(path), safe='')}"


def _hub(c: Any, settings: HubSettings) -> None:
    hub = c.JupyterHub
    hub.bind_url = f"http://127.0.0.1:{settings.port}"  # where the proxy listens; browsers come by the public name
    hub.public_url = f"{settings.address}/"
    hub.default_url = first_page
    hub.hub_bind_url = hub.hub_connect_url = socket_url(settings.socket)
    hub.hub_socket_mode = 0o660 if process_of(settings.place, "desk") else 0o600
    hub.proxy_class = LabProxy
    hub.db_url = f"sqlite:///{settings.state / 'hub.sqlite'}"
    hub.cookie_secret_file = str(settings.state / "cookie_secret")
    hub.pid_file = str(settings.run / "hub.pid")
    hub.cleanup_servers = hub.cleanup_proxy = True
    hub.oauth_require_pkce = True
    hub.template_paths = [str(PAGES)]
    page_texts.install()
    hub.tornado_settings = {"headers": SECURE_HEADERS, "slow_spawn_timeout": 0}
    hub.log_level = 30  # warnings: a log line has no cell and no password, and it need not have who opened what either
    c.ConfigurableHTTPProxy.command = command()
    c.ConfigurableHTTPProxy.api_url = socket_url(settings.run / "proxy.sock")
    c.ConfigurableHTTPProxy.pid_file = str(settings.run / "proxy.pid")
    c.Spawner.start_timeout, c.Spawner.http_timeout, c.Spawner.poll_interval = 120, 60, 5
    c.Spawner.default_url = "/lab"
    c.Spawner.disable_user_config = True


def _people(c: Any, settings: HubSettings) -> None:
    hub = c.JupyterHub
    if settings.oidc_issuer:
        from infra.hub.oidc_config import configure_oidc

        configure_oidc(c, settings)
    else:
        hub.authenticator_class = LabAuthenticator
    c.LabAuthenticator.sign_ins = str(settings.home / "lab" / "sign-ins.sqlite")
    c.LabAuthenticator.desk = str(settings.desk or named_socket(settings.place))
    c.LabAuthenticator.home = str(settings.home)
    c.LabAuthenticator.public_url = settings.address
    c.Authenticator.auth_refresh_age = 10
    c.Authenticator.auth_refresh_strict = True  # a token of a removed account is worth no more than its cookie
    c.Authenticator.refresh_pre_spawn = True
    hub.load_roles = [{"name": role, "groups": [role], "scopes": SCOPES} for role in ROLES]


def _console(c: Any, settings: HubSettings) -> None:
    """Configure the console: the hub starts it, proxies it through a socket, and logs its users in."""
    env = {
        **settings.place.environment("research"),
        "HAIHE_RESEARCH_RUN": str(settings.run),
        "HAIHE_RESEARCH_DESK": str(settings.desk or named_socket(settings.place)),
        "JUPYTERHUB_SERVICE_URL": socket_url(settings.run / "console.sock"),
        "JUPYTERHUB_SERVICE_PREFIX": CONSOLE,
        "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{CONSOLE}oauth_callback",
    }
    if settings.today:
        env["HAIHE_RESEARCH_TODAY"] = settings.today.isoformat()
    c.LabProxy.extra_routes = {CONSOLE: "http://console"}
    c.LabProxy.named = {"http://console": socket_url(settings.run / "console.sock")}
    c.JupyterHub.services = [
        {
            "name": "console",
            "command": [sys.executable, "-m", "lab.console"],
            "environment": env,
            "cwd": str(settings.state),
            "oauth_client_id": "service-console",
            "oauth_redirect_uri": f"{CONSOLE}oauth_callback",
            "oauth_no_confirm": True,
        },
        cli_service(settings.cli_port),
    ]
