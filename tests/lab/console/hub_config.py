"""A minimal real hub for the console's tests: it accepts any password and runs without a proxy."""

import os

from jupyterhub.proxy import Proxy


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


env, c = os.environ, get_config()  # noqa: F821
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{env['HUB_PORT']}"
c.JupyterHub.bind_url = f"http://127.0.0.1:{env['PUBLIC_PORT']}"
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.authenticator_class = "dummy"
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
