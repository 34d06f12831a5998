"""One lab for the whole run: a small invented city, a gateway, a hub with its proxy, and people with accounts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import pytest
from playwright.sync_api import Browser

from credit.actor import Actor, Role
from credit.seal import Kind
from infra import lab_services as on_this_machine
from infra.first_people import set_up
from infra.home import Home
from infra.hub.authenticator import credential_store
from lab.projects import Projects
from tests.journey.hand import requested
from tests.lab.accounts.made_accounts import make_accounts
from tests.lab.workspace.browser_page import chromium, password
from tests.lab.workspace.workspace_client import Kernel, WorkspaceClient

DAY = date(2026, 11, 1)
PLATFORM = Actor("petra", Role.PLATFORM)
SMALL = {  # limits that a bomb reaches quickly
    "HAIHE_HUB_MEMORY_MIB": "900",
    "HAIHE_HUB_PROCESSES": "80",
    "HAIHE_HUB_HOME_MIB": "48",
    "HAIHE_HUB_TMP_MIB": "64",
    "HAIHE_HUB_KERNELS": "3",
}


@dataclass
class Lab:
    home: Home
    url: str
    clients: dict[str, WorkspaceClient] = field(default_factory=dict)

    @property
    def projects(self) -> Projects:
        return Projects(self.home.ledger("research", writing=True))

    def client_of(self, user: str, project: str = "") -> WorkspaceClient:
        """The session of a user who has logged in, with a running workspace."""
        if user not in self.clients:
            client = WorkspaceClient(self.url, user)
            assert client.log_in(password(user), self.home).status_code == 200
            assert client.start(project).status_code == 200
            self.clients[user] = client
        return self.clients[user]


def require_sandbox() -> None:
    """Skip with a reason where the machine cannot run sandboxes; fail where they are required."""
    lacking = "" if shutil.which("bwrap") else "bubblewrap is not installed (apt-get install bubblewrap)"
    lacking = lacking or ("" if os.getuid() == 0 else "this machine's Python may not be readable by other users")
    if lacking and os.environ.get("HAIHE_SKIP_SANDBOX") == "1":
        pytest.skip(lacking)
    assert not lacking, f"{lacking}; set HAIHE_SKIP_SANDBOX=1 to leave these tests out"


@pytest.fixture(scope="session")
def city_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a small city's research release, practice tables, accounts and projects."""
    root = tmp_path_factory.mktemp("lab")
    env = {**os.environ, "HAIHE_HOME": str(root / "home"), "HAIHE_TODAY": DAY.isoformat()}
    for words in (
        ("keys",),
        ("city", "--subjects", "4000", "--out", str(root / "raw")),
        ("intake", str(root / "raw")),
        ("release", "research"),
        ("practice", "--subjects", "2000"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "infra.haihe", *requested(*words)], env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    home = Home(root / "home")
    people(home)
    return home


def people(home: Home) -> None:
    """Accounts of every role, and a project for each researcher."""
    ledger = home.ledger("research", writing=True)
    researchers = dict.fromkeys(("alice", "bobby", "carol", "dana"), Role.RESEARCHER)
    reviewers = dict.fromkeys(("rita", "remy"), Role.REVIEWER)
    accounts = make_accounts(home.ledger("desk", writing=True), researchers | reviewers)
    for account in accounts.all().values():
        set_up(credential_store(home.root), account, password(account.name))
    projects = Projects(ledger, accounts)
    all_tables = tuple(home.shelf.list(Kind.RELEASE)[0].terms["tables"])
    tables = (
        "registration",
        "administrative_penalty",
        "administrative_licence",
        "tax_credit_rating",
        "loan_performance",
    )
    for name, members in (
        ("thinfiles", ("alice",)),
        ("shops", ("bobby",)),
        ("brief", ("carol",)),
        ("wholeday", ("dana",)),
    ):
        granted, end = all_tables if name == "wholeday" else tables, date(2027, 6, 1)
        words = {"title": name, "purpose": "to be tested"}
        projects.open(name, **words, ends_on=end, members=members, tables=granted, by=PLATFORM, today=DAY)


@pytest.fixture(scope="session")
def lab(city_home: Home) -> Iterator[Lab]:
    """The running lab."""
    require_sandbox()
    with (
        on_this_machine.gateway(city_home, DAY),
        on_this_machine.hub(city_home, today=DAY, env=SMALL) as url,
    ):
        yield Lab(city_home, url)
        WorkspaceClient.close_all()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def alice(lab: Lab) -> WorkspaceClient:
    return lab.client_of("alice")


@pytest.fixture(autouse=True)
def end_of_kernels(request: pytest.FixtureRequest) -> Iterator[None]:
    """End the kernels that a test started and left, also by trying every route: few may run at once."""
    clients = request.getfixturevalue("lab").clients if "lab" in request.fixturenames else {}
    before = {user: client.kernels() for user, client in clients.items()}
    yield
    for user, client in clients.items():
        for started in client.kernels() - before.get(user, set()):
            Kernel(client, started).shut()


@pytest.fixture(scope="session")
def kernel(alice: WorkspaceClient) -> Kernel:
    """A kernel that harmless attacks share."""
    return alice.kernel()
