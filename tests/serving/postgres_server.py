"""A real PostgreSQL for the tests: started once a run of each test process, with a database for every test."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_BIN = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
LEAVE_OUT = "HAIHE_SKIP_POSTGRES"


def _binaries() -> Path | None:
    """The folder of initdb: Debian does not put it in the PATH."""
    if (initdb := shutil.which("initdb")) is not None:
        return Path(initdb).resolve().parent
    folders = [folder for pattern in _BIN for folder in Path("/").glob(pattern[1:])]
    return max((folder for folder in folders if (folder / "initdb").exists()), default=None)


class PostgresServer:
    """One server that listens on a socket in its own folder."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder, self._bin = folder, binaries
        self._made = 0

    def start(self) -> None:
        """Create the cluster if there is none, and start it."""
        if not (self.folder / "data").exists():
            self._run("initdb", "-D", self._data, "-U", "haihe", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        # What these tests prove about a killed process does not depend on the disk, which is not made to wait here.
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def database(self) -> str:
        """The address of a new, empty database."""
        self._made += 1
        name = f"store_{self._made}"
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql://haihe@/{name}?host={self.folder}"

    def sql(self, text: str) -> None:
        self._run("psql", "-h", str(self.folder), "-U", "haihe", "-d", "postgres", "-q", "-c", text)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of the server's programs, as another user where we are root: the server refuses to run as root."""
        user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid} if os.geteuid() == 0 else {}
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        command = [str(self._bin / program), *arguments]
        done = subprocess.run(command, **user, env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,  # type: ignore[call-overload]
                              stderr=subprocess.STDOUT, timeout=120, extra_groups=[] if user else None)  # fmt: skip
        assert done.returncode == 0, done.stdout.decode()


@contextmanager
def postgres_server(folder: Path) -> Iterator[PostgresServer]:
    """A server in a folder of its own. Without PostgreSQL the test fails, unless it was said to be left out."""
    binaries = _binaries()
    if binaries is None:
        if os.environ.get(LEAVE_OUT) == "1":
            pytest.skip("PostgreSQL is not installed")
        pytest.fail(f"these tests need PostgreSQL (make system); set {LEAVE_OUT}=1 to leave them out")
    folder.chmod(0o777)
    for above in folder.parents:  # the other user goes through them; pytest makes its own for the owner alone
        if above.stat().st_uid == os.geteuid() and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)
    server = PostgresServer(folder, binaries)
    server.start()
    try:
        yield server
    finally:
        server.stop()
