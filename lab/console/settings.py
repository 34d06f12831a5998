"""Settings that the hub passes to the console when it starts it, in addition to those of the research zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from credit.errors import Malformed


@dataclass(frozen=True, slots=True)
class HubSettings:
    """Settings from ``JUPYTERHUB_…``, which the hub sets for a service that it manages.

    api_token: the service's token, which is also its OAuth client secret.
    api_url: the hub's API, ``http://…/hub/api`` or ``http+unix://%2F…/hub/api``.
    service_url: the address to listen at.
    host, base_url: where browsers reach the hub.
    public_url: where browsers reach the console; with ``https`` cookies are marked Secure.
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
        """Raises :class:`Malformed` when ``service_prefix`` is not an absolute path that ends with a slash."""
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
        """True when browsers reach the console by https."""
        return self.public_url.startswith("https:")

    @property
    def enrolment(self) -> str:
        """The address of the page on which a person sets up an account, complete where the public one is known."""
        parts = urlsplit(self.public_url)
        origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else self.host
        return f"{origin}{self.base_url.rstrip('/')}/hub/enrol"

    @property
    def hub(self) -> str:
        """The address of the hub's pages for browsers, with a slash at the end."""
        return f"{self.host}{self.base_url.rstrip('/')}/hub/"


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where the server listens: the path of a unix socket, or a host of this machine and a port."""

    socket: str = ""
    host: str = ""
    port: int = 0

    @classmethod
    def parse(cls, url: str) -> ListenAddress:
        """Read ``http+unix://%2F…`` or ``http://127.0.0.1:8000``; raises :class:`Malformed`."""
        parts = urlsplit(url)
        if parts.scheme == "http+unix" and parts.netloc:
            return cls(socket=unquote(parts.netloc))
        if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost") and parts.port:
            return cls(host=parts.hostname, port=parts.port)
        raise Malformed("settings.jupyterhub-service-url-not-place")
