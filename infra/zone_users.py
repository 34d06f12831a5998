"""A user of the machine for each zone: who owns what in a home, so that no zone reads another's keys or records.

``python -m infra.zone_users HOME`` makes what keys are missing, and gives the home to the users ``haihe-<zone>`` and
their group ``haihe``; root runs it once, while no zone runs. What zones leave for each other lies in sticky folders:
each adds its own files there, every zone reads them, and none removes or replaces another's. A home of one user has no
such owners, and needs none.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credit.errors import CreditError, Missing
from credit.files import write_atomically
from credit.messages import Text
from credit.requests.state_reader import LEDGER_ZONES, ZONES
from credit.seal import SIGNERS, Kind
from infra.home import Home

SOCKET = "/run/haihe-desk/desk.sock"
SHARED = 0o1770  # every zone adds to it, none removes or replaces what another added
OWN_FOLDERS = {
    "raw": "custody",
    "service": "service",
    "mlflow": "compute",
    "partitions": "compute",
    "tables": "compute",
}
READ_BY_ALL = {"outbox": "research", "requests": "desk"} | {
    f"{folder}/{zone}": zone for folder in ("runs", "ledgers/witness") for zone in ZONES
}
SHARED_FOLDERS = ("ledgers", "shelf/.making", "shelf/pointers", *(f"shelf/{kind}" for kind in Kind))
PASSAGES = {"": 0o751, "keys": 0o751, "keys/ring": 0o755, "runs": 0o751, "ledgers/witness": 0o750, "shelf": 0o750}


@dataclass(frozen=True, slots=True)
class ZoneUsers:
    """The uid of each zone, and the gid of the group that they all have."""

    group: int
    users: Mapping[str, int]

    @classmethod
    def of_machine(cls) -> ZoneUsers:
        """The users ``haihe-<zone>`` and the group ``haihe``; raises :class:`Missing` where there are none."""
        try:
            group = grp.getgrnam("haihe").gr_gid
            return cls(group, {zone: pwd.getpwnam(f"haihe-{zone}").pw_uid for zone in ZONES})
        except KeyError as error:
            raise Missing("zone-users.no-users", why=Text.verbatim(str(error.args[0]))) from error

    def take_over(self, home: Home) -> None:
        """Give every folder of a home to its zone. Done twice it changes nothing."""
        root = home.root
        for name in SHARED_FOLDERS:
            self._folder(root / name, 0, SHARED)
        for name, mode in PASSAGES.items():
            self._folder(root / name, 0, mode)
        for zone in ZONES:
            self._give(root / "keys" / zone, self.users[zone], 0o700)
        for name, zone in OWN_FOLDERS.items():
            self._give(root / name, self.users[zone], 0o700)
        for name, zone in READ_BY_ALL.items():
            self._give(root / name, self.users[zone], 0o750)
        self._shelf(root / "shelf")
        for path in (root / "ledgers").iterdir():
            if (owner := LEDGER_ZONES.get(path.name.partition(".")[0])) is not None:
                self._give(path, self.users[owner], 0o750)

    def _shelf(self, shelf: Path) -> None:
        for kind in Kind:
            for place in (shelf / kind).iterdir():
                self._give(place, self.users[SIGNERS[kind]], 0o750)
        for path in (shelf / "pointers").glob("*.json"):
            signer = str(json.loads(path.read_bytes())["signatures"][0]["keyid"])
            self._give(path, self.users.get(signer.partition(":")[0], 0), 0o750)
        lock = shelf / "pointers" / ".lock"
        lock.touch()
        self._own(lock, 0, 0o660)

    def _folder(self, path: Path, user: int, mode: int) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._own(path, user, mode)

    def _give(self, path: Path, user: int, mode: int) -> None:
        """Give a file, or a folder (made when it is not there) with all that is in it; a file gets no execution."""
        if not path.is_file():
            path.mkdir(parents=True, exist_ok=True)
        self._own(path, user, mode if path.is_dir() else mode & 0o666)
        for each in path.rglob("*") if path.is_dir() else ():
            self._own(each, user, mode if each.is_dir() and not each.is_symlink() else mode & 0o666)

    def _own(self, path: Path, user: int, mode: int) -> None:
        os.lchown(path, user, self.group)
        if not path.is_symlink():
            path.chmod(mode)


def process_of(home: Home, zone: str) -> dict[str, Any]:
    """Arguments of ``Popen`` for a process of a zone: when root starts it, it is the owner of the zone's keys."""
    try:
        owner = home.keys(zone).stat()
    except FileNotFoundError:
        return {}
    if os.getuid() != 0 or owner.st_uid == 0:
        return {}
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}


def environment_of(home: Home, zone: str) -> dict[str, str]:
    """What such a process has instead of root's: a home folder that it may write into."""
    return {"HOME": str(home.root / "runs" / zone)} if process_of(home, zone) else {}


def install(root: Path) -> None:
    """Prepare a home for the service units, whose front desk listens at :data:`SOCKET`."""
    users, home = ZoneUsers.of_machine(), Home(root.resolve())
    home.ensure_keys()
    home.begin_ledgers()
    users.take_over(home)
    write_atomically(home.root / "desk-socket", SOCKET.encode())


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]))
    except CreditError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
