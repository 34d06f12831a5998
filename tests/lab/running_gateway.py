"""A real gateway over a small research zone, in a process and folder of its own, with paths short enough for
sockets.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from credit.actor import Actor, Role
from credit.ledger import Entry, Ledger
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf
from infra import stack
from infra.demo.invented_city import CITY_DAY
from infra.home import Home
from infra.hub.workspace_files import practice_files, rows_folder
from lab.accounts.accounts import Accounts
from lab.projects import Projects
from lab.settings import ResearchSettings
from tests.journey.hand import requested
from tests.lab.accounts.made_accounts import make_accounts
from tests.models import invented_release

TODAY = date(2026, 4, 1)
BOSS = Actor("boss", Role.PLATFORM)
TABLES = ("registration", "administrative_penalty", "loan_performance")


@dataclass
class House:
    """The home, its small release of records, its practice tables, and the projects: alice and carol work on loans,
    bob on fines.
    """

    home: Home
    release: OpenedSeal
    practice: OpenedSeal
    run: Path
    today: date = TODAY

    @property
    def env(self) -> dict[str, str]:
        variables = self.home.environment("research")
        return variables | {"HAIHE_RESEARCH_RUN": str(self.run), "HAIHE_RESEARCH_TODAY": self.today.isoformat()}

    @property
    def settings(self) -> ResearchSettings:
        return self.home.settings(ResearchSettings, "research", self.env)

    @property
    def ledger(self) -> Ledger:
        return self.home.ledger("research", writing=True)

    @property
    def projects(self) -> Projects:
        return Projects(self.ledger, Accounts(self.home.ledger("desk")))

    def open_project(self, name: str, members: list[str], tables: tuple[str, ...], ends_on: date) -> None:
        words = {"title": name, "purpose": "to learn"}
        self.projects.open(name, **words, ends_on=ends_on, members=members, tables=tables, by=BOSS, today=self.today)

    def add_accounts(self, *names: str) -> None:
        """The accounts of the people in the projects, and of reviewers, as entries."""
        researchers = dict.fromkeys(names, Role.RESEARCHER)
        reviewers = dict.fromkeys(("dora", "eve"), Role.REVIEWER)
        make_accounts(self.home.ledger("desk", writing=True), researchers | reviewers)

    def entries(self, verb: str) -> list[Entry]:
        return [entry for entry in self.ledger.verified() if entry.verb == verb]

    def control(self) -> httpx.Client:
        return client(self.run / "gateway.sock")

    def open(self, user: str, project: str, **ids: int) -> dict[str, str]:
        with self.control() as hub:
            answer = hub.post("/workspaces", json={"user": user, "project": project, **ids})
        assert answer.status_code == 201, answer.text
        paths: dict[str, str] = answer.json()
        return paths

    def mounted(self, at: Path, tables: tuple[str, ...] = TABLES) -> Path:
        """What is a workspace's ``/data``: the granted practice tables, and the rows of the project on loans."""
        at.mkdir()
        rows = self.settings.rows_folder("loans")
        for place, name in (practice_files(self.practice, tables) | rows_folder(rows)).items():
            (at / name).symlink_to(place)
        return at

    def kernel(self, user: str = "alice", project: str = "loans") -> httpx.Client:
        return client(Path(self.open(user, project)["kernel"]))

    def server(self, user: str = "alice", project: str = "loans") -> httpx.Client:
        return client(Path(self.open(user, project)["server"]))


def client(at: Path, **more: Any) -> httpx.Client:
    """An HTTP client at a unix socket."""
    transport = httpx.HTTPTransport(uds=str(at), verify=False)  # without TLS: what it would trust takes long to read
    return httpx.Client(transport=transport, base_url="http://gateway", timeout=30, **more)


@contextlib.contextmanager
def house(*, subjects: int = 60) -> Iterator[House]:
    """A home with a release and two projects; no process yet."""
    root = Path(tempfile.mkdtemp(prefix="hh"))
    try:
        home = Home(root / "home")
        home.ensure_keys()
        shelf = Shelf(home.root / "shelf", home.ring)
        release = invented_release.release(shelf, home.key("custody"), subjects=subjects)
        practice = invented_release.release(shelf, home.key("custody"), subjects=subjects, seed=2, kind=Kind.PRACTICE)
        made = House(home, release, practice, root / "run")
        made.add_accounts("alice", "bob", "carol")
        for name, members, tables in (("loans", ["alice", "carol"], TABLES), ("fines", ["bob", "alice"], TABLES[:2])):
            made.open_project(name, members, tables, date(2026, 8, 1))
        yield made
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def city(*, subjects: int) -> Iterator[House]:
    """A home with a research release of the invented city and practice tables, made by the commands, and a project with
    every table."""
    root = Path(tempfile.mkdtemp(prefix="hh"))
    try:
        home, raw = Home(root / "home"), str(root / "raw")
        env = {**os.environ, "HAIHE_HOME": str(home.root), "HAIHE_TODAY": CITY_DAY.isoformat()}
        drawn = ["city", "--subjects", str(subjects), "--seed", "7", "--out", raw]
        practised = ["practice", "--subjects", str(subjects)]
        for words in (["keys"], drawn, ["intake", raw], ["release", "research"], practised):
            command = [sys.executable, "-m", "infra.haihe", *requested(*words)]
            subprocess.run(command, env=env, check=True, capture_output=True)
        ((release,), (practice,)) = (home.shelf.list(kind) for kind in (Kind.RELEASE, Kind.PRACTICE))
        made = House(home, home.shelf.open(release.id), home.shelf.open(practice.id), root / "run", CITY_DAY)
        made.add_accounts("alice")
        made.open_project("loans", ["alice"], tuple(release.terms["tables"]), date(2027, 3, 1))
        yield made
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def gateway(made: House) -> Iterator[subprocess.Popen[bytes]]:
    """A gateway process that is ready for requests."""
    log = made.home.root / "gateway.log"
    with log.open("ab") as stream:
        command = [sys.executable, "-m", "lab.gateway"]
        process = subprocess.Popen(command, env={**os.environ, **made.env}, stderr=stream, start_new_session=True)
    try:
        limit = time.monotonic() + 30
        while time.monotonic() < limit and process.poll() is None:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(made.run / "gateway.sock"))
                break
            time.sleep(0.02)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        stack.stop(process)
