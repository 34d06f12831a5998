"""The settings of the proxy, and its configuration for nginx with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from credit.errors import Malformed

PREFIX = "HAIHE_PROXY_"
_PLAIN = re.compile(r"[A-Za-z0-9_.:/\[\]-]+")  # nothing that nginx reads as syntax
_TEMPLATE = Path(__file__).with_name("nginx.conf")


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """Settings of the proxy, read from the environment variables HAIHE_PROXY_*.

    - `host`: the name that banks use, as in HAIHE_SERVICE_ISSUER
    - `listen`: address and port
    - `service`: where the service listens: `127.0.0.1:8700`, or `unix:/run/haihe/service.sock`
    - `folder`: for its temporary files and its log
    - `certificate`, `key`: of the proxy, in PEM; without them there is no TLS, for tests on one machine alone
    - `client_authorities`: PEM file of the authorities whose certificates banks may present (RFC 8705)
    - `connections`: most connections of one address
    """

    host: str
    listen: str = "0.0.0.0:443"
    service: str = "127.0.0.1:8700"
    folder: Path = Path("/var/lib/haihe/proxy")
    certificate: Path | None = None
    key: Path | None = None
    client_authorities: Path | None = None
    connections: int = 256

    def __post_init__(self) -> None:
        """Raise Malformed for a value that nginx would read as more than a value, or for half of a pair."""
        for value in (self.host, self.listen, self.service, self.folder, self.certificate, self.key,
                      self.client_authorities):  # fmt: skip
            if value is not None and not _PLAIN.fullmatch(str(value)):
                raise Malformed("proxy.not-plain")
        if (self.certificate is None) != (self.key is None) or (self.client_authorities and not self.certificate):
            raise Malformed("proxy.certificate-and-key")
        if self.certificate is None and not self.listen.startswith(("127.0.0.1:", "[::1]:")):
            raise Malformed("proxy.no-tls-outside")

    def configuration(self) -> str:
        """The whole configuration for nginx."""
        lines = []
        if self.certificate is not None:
            lines = [f"ssl_certificate {self.certificate};", f"ssl_certificate_key {self.key};",
                     "ssl_protocols TLSv1.2 TLSv1.3;", "ssl_session_tickets off;"]  # fmt: skip
        if self.client_authorities is not None:
            lines += [f"ssl_client_certificate {self.client_authorities};", "ssl_verify_client optional;"]
        values = {
            "HOST": self.host, "LISTEN": self.listen, "SERVICE": self.service, "FOLDER": str(self.folder),
            "TLS": "ssl" if self.certificate else "", "CERTIFICATES": " ".join(lines),
            "CONNECTIONS": str(self.connections),
        }  # fmt: skip
        text = _TEMPLATE.read_text("utf-8")
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        return text
