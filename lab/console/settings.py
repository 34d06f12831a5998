"""What the console is told by the hub that starts it, beside the research zone's own settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from credit.errors import Malformed


@dataclass(frozen=True, slots=True)
class HubSettings:
    """Read from ``JUPYTERHUB_…``, as the hub sets them for a service it manages.

    api_token: the service's own, its secret as an OAuth client too · api_url: ``http://…/hub/api`` or
    ``http+unix://%2F…/hub/api`` · service_url: where to listen · host and base_url: where browsers find the hub ·
    public_url: where browsers find the console, ``https`` makes cookies Secure.
    """

    api_token: str = field(repr=False)
    api_url: str
    service_url: str
    service_prefix: str = "/services/console/"
    service_name: str = "console"
    client_id: str = "service-console"
    oauth_callback_url: str = ""
    base_url: str = "/"
    host: str = ""
    public_url: str = ""

    def __post_init__(self) -> None:
        """Raises :class:`Malformed` for a prefix that is no path of its own."""
        if (
            not (self.service_prefix.startswith("/") and self.service_prefix.endswith("/"))
            or "//" in self.service_prefix
        ):
            raise Malformed("settings.jupyterhub-service-prefix-not-path")

    @property
    def callback(self) -> str:
        """The redirect URI, as the hub has registered it."""
        return self.oauth_callback_url or f"{self.service_prefix}oauth_callback"

    @property
    def secure(self) -> bool:
        """True when browsers come by https alone."""
        return self.public_url.startswith("https:")

    @property
    def hub(self) -> str:
        """Where browsers find the hub's pages, with a slash at the end."""
        return f"{self.host}{self.base_url.rstrip('/')}/hub/"


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a server listens: a unix socket's path, or a host and port."""

    socket: str = ""
    host: str = ""
    port: int = 0

    @classmethod
    def parse(cls, url: str) -> Listen:
        """Read ``http+unix://%2F…`` or ``http://127.0.0.1:8000``; raises :class:`Malformed`."""
        parts = urlsplit(url)
        if parts.scheme == "http+unix" and parts.netloc:
            return cls(socket=unquote(parts.netloc))
        if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost") and parts.port:
            return cls(host=parts.hostname, port=parts.port)
        raise Malformed("settings.jupyterhub-service-url-not-place")
