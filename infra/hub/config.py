"""The hub's whole configuration as a function of its settings. Nothing behind the proxy listens on a TCP port."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infra.hub.authenticator import LabAuthenticator
from infra.hub.proxy import LabProxy, command
from infra.hub.settings import HubSettings
from infra.hub.spawner import SandboxSpawner

PAGES = Path(__file__).parent / "pages"
CONSOLE = "/services/console/"
ROLES = ("researcher", "reviewer", "platform")
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


def socket_url(path: Path) -> str:
    """The URL of a unix socket in JupyterHub's form."""
    return f"http+unix://{quote(str(path), safe='')}"


def _hub(c: Any, settings: HubSettings) -> None:
    hub = c.JupyterHub
    hub.bind_url = f"http://127.0.0.1:{settings.port}"
    hub.hub_bind_url = hub.hub_connect_url = socket_url(settings.run / "hub.sock")
    hub.hub_socket_mode = 0o600
    hub.proxy_class = LabProxy
    hub.db_url = f"sqlite:///{settings.state / 'hub.sqlite'}"
    hub.cookie_secret_file = str(settings.state / "cookie_secret")
    hub.pid_file = str(settings.run / "hub.pid")
    hub.cleanup_servers = hub.cleanup_proxy = True
    hub.oauth_require_pkce = True
    hub.template_paths = [str(PAGES)]
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
    hub.authenticator_class = LabAuthenticator
    c.LabAuthenticator.accounts = str(settings.home / "lab" / "accounts.json")
    c.Authenticator.auth_refresh_age = 60
    c.Authenticator.refresh_pre_spawn = True
    hub.load_roles = [{"name": role, "groups": [role], "scopes": ["access:services!service=console"]} for role in ROLES]


def _console(c: Any, settings: HubSettings) -> None:
    """Configure the console: the hub starts it, proxies it through a socket, and logs its users in."""
    env = {
        **settings.place.environment("research"),
        "HAIHE_RESEARCH_RUN": str(settings.run),
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
        }
    ]
