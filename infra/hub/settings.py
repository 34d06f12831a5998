"""The settings of the hub."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from credit.errors import Malformed
from infra.home import Home
from infra.sandbox.bubblewrap import Limits, Mode

HUB_SOCKET = Path("hub", "hub.sock")  # in the folder of sockets


@dataclass(frozen=True, slots=True)
class HubSettings:
    """Read from ``HAIHE_HUB_…``. ``spawner``: ``sandbox`` on this machine, or ``kubernetes`` on a cluster.

    ``public_url`` is where browsers reach the hub; by default ``http://localhost`` at its port. Raises
    :class:`Malformed` for one whose host is a number, because no browser makes a passkey for it.
    """

    home: Path
    run: Path
    desk: Path | None = None  # the front desk's socket, which the console uses; by default the one that the home names
    port: int = 8000
    cli_port: int = 8765  # where `haihe login` listens for the hub's code, on the user's machine
    public_url: str = ""
    mode: str = "root"
    spawner: str = "sandbox"
    today: date | None = None
    workspace_seconds: int = 12 * 3600
    memory_mib: int = 4096
    processes: int = 256
    home_mib: int = 5120
    tmp_mib: int = 512
    kernels: int = 4
    image: str = "haihe/workspace:0.1.0"  # on a cluster
    oidc_issuer: str = ""  # a city's own identity provider, instead of passwords here
    oidc_client: str = ""
    oidc_secret: Path | None = None  # the file with the client's secret, mode 0600
    oidc_callback: str = ""  # our address that the provider knows: https://…/hub/oauth_callback
    oidc_name_claim: str = "preferred_username"
    oidc_groups_claim: str = "groups"
    oidc_group_prefix: str = "haihe-"

    def __post_init__(self) -> None:
        if not _is_named(self.address):
            raise Malformed("hub-settings.public-url")

    @property
    def address(self) -> str:
        """Where browsers reach the hub, without a slash at the end."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def socket(self) -> Path:
        """The socket of the hub itself, in a folder of its own."""
        return self.run / HUB_SOCKET

    @property
    def place(self) -> Home:
        """The home the zones live in."""
        return Home(self.home)

    @property
    def limits(self) -> Limits:
        """What one kernel's sandbox may use."""
        return Limits(
            memory=self.memory_mib << 20,
            processes=self.processes,
            home=self.home_mib << 20,
            tmp=self.tmp_mib << 20,
            file_size=min(2 << 30, self.home_mib << 20),
        )

    @property
    def how(self) -> Mode:
        """The mode of sandboxes."""
        return Mode(self.mode)

    def day(self) -> date:
        """The current day: the fixed one, or today."""
        return self.today or date.today()

    @property
    def state(self) -> Path:
        """The folder of the hub's database and its cookie secret."""
        return self.home / "lab" / "hub"


def _is_named(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.username:
        return False
    try:
        ip_address(parts.hostname)
    except ValueError:
        return True
    return False
