"""A minimal real hub for the console's tests: it accepts any password, records sign-ins, and runs without a proxy.

A password that is the name of a factor is recorded as a sign-in with that factor.
"""

import os
from pathlib import Path

from jupyterhub.auth import DummyAuthenticator
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.proxy import Proxy

from infra.hub.sign_in_handlers import RecordedLogin, sign_in_handlers
from infra.hub.sign_ins import FACTORS

SIGN_INS = Path("sign-ins.sqlite").resolve()


class NoProxy(Proxy):
    """Browsers reach the hub and the console directly, each at a port of 127.0.0.1."""

    def __init__(self, **options):
        super().__init__(**options)
        self.routes = {}

    async def start(self):
        pass

    async def stop(self):
        pass

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return self.routes


class RecordedLoginHandler(RecordedLogin, LoginHandler):
    """The login page, whose logins are recorded."""

    async def login_user(self, data=None):
        given = self.get_body_argument("password", "")
        self.factor = given if given in FACTORS else "password"
        return await super().login_user(data)


class RecordingAuthenticator(DummyAuthenticator):
    """Accepts any password."""

    sign_ins = str(SIGN_INS)

    def get_handlers(self, app):
        return [("/login", RecordedLoginHandler), *sign_in_handlers(SIGN_INS)]


env, c = os.environ, get_config()  # noqa: F821
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{env['HUB_PORT']}"
c.JupyterHub.bind_url = f"http://127.0.0.1:{env['PUBLIC_PORT']}"
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.authenticator_class = RecordingAuthenticator
c.Authenticator.allow_all = True
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.cookie_secret = os.urandom(32)
c.JupyterHub.oauth_require_pkce = True
c.JupyterHub.log_level = 30
c.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", "access:services!service=console"]}]
c.JupyterHub.services = [
    {
        "name": "console",
        "api_token": env["CONSOLE_TOKEN"],
        "oauth_client_id": "service-console",
        "oauth_redirect_uri": f"http://127.0.0.1:{env['CONSOLE_PORT']}/services/console/oauth_callback",
        "oauth_no_confirm": True,
    }
]
