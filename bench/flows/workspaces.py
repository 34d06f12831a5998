"""What a workspace costs: the wait from login to a first result, the start, the memory at rest, how many at once; and
how many of the attacks on it succeeded."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from pathlib import Path

import psutil

from bench.record import record
from credit.actor import Actor, Role
from credit.seal import Kind
from infra import lab_services as on_this_machine
from infra.first_people import set_up
from infra.home import Home
from infra.hub.authenticator import credential_store
from infra.sandbox import watchdog
from lab.accounts.account_changes import AccountChanges
from lab.accounts.accounts import Accounts
from lab.projects import Projects
from tests.journey.hand import requested
from tests.lab.workspace.workspace_client import WorkspaceClient

DAY, BY = date(2026, 11, 1), Actor("petra", Role.PLATFORM)
SUBJECTS, RUNS, SAME = 4000, 7, "the same for all"
MOST, AT_ONCE, SPARE, SECONDS = 120, 3, 3 << 30, 600  # workspaces, started together, bytes left free, seconds at most


def login_to_cell_seconds() -> None:
    """From the login form to the result of a first cell: login, start, kernel, cell; each from a stopped workspace."""
    with running_lab(1) as (url, _):
        record("login_to_cell_seconds", _median(lambda: _first_cell(url)), "s", more={"runs": RUNS})


def spawn_p50_seconds() -> None:
    """From asking for a workspace to its page, logged in already."""
    with running_lab(1) as (url, _):
        hand = _hand(url, "r1")

        def spawn() -> float:
            begun = time.monotonic()
            hand.start()
            took = time.monotonic() - begun
            hand.stop()
            return took

        record("spawn_p50_seconds", _median(spawn), "s", more={"runs": RUNS})
        WorkspaceClient.close_all()


def workspace_idle_mib() -> None:
    """The proportional memory of one workspace at rest, with one kernel that has imported ``lab``."""
    with running_lab(1) as (url, _):
        hand = _hand(url, "r1")
        hand.start()
        without = _memory()
        hand.kernel().run("import lab; lab.me()")
        time.sleep(5)
        record("workspace_idle_mib", _memory() / 2**20, "MiB", more={"without_kernel": round(without / 2**20, 1)})
        WorkspaceClient.close_all()


def workspaces_at_once() -> None:
    """How many were started and answered a cell, all up together, until memory is nearly spent (or the bound here)."""
    with running_lab(MOST) as (url, _), ThreadPoolExecutor(AT_ONCE) as pool:
        up, begun = 0, time.monotonic()

        def one(number: int) -> bool:
            hand = _hand(url, f"r{number}")
            return hand.start().status_code == 200 and hand.kernel().run("6 * 7", timeout=120) == "42"

        for first in range(1, MOST + 1, AT_ONCE):
            up += sum(pool.map(one, range(first, min(first + AT_ONCE, MOST + 1))))
            if psutil.virtual_memory().available < SPARE or time.monotonic() - begun > SECONDS:
                break
        first_still = WorkspaceClient.made[0].call("GET", "/api/status").status_code == 200
        more = {"bound": MOST, "first_still_answers": first_still, "seconds": round(time.monotonic() - begun)}
        more["available_mib"] = psutil.virtual_memory().available >> 20
        record("workspaces_at_once", up, "workspaces", more=more)
        WorkspaceClient.close_all()


def attacks_tried() -> None:
    """Every test marked ``attack``, run: how many there were, and how many of them reached what they should not."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "attacks.xml"
        command = [sys.executable, "-m", "pytest", "-m", "attack", "-q", f"--junit-xml={output}", "tests"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        suite = next(ET.parse(output).iter("testsuite"))
    tried = int(suite.get("tests", 0)) - int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    record("attacks_tried", tried, "attacks")
    record("attacks_succeeded", failed, "attacks", goal=0)


def _first_cell(url: str) -> float:
    hand = WorkspaceClient(url, "r1")
    begun = time.monotonic()
    hand.log_in(SAME)
    hand.start()
    assert hand.kernel().run("6 * 7") == "42"
    took = time.monotonic() - begun
    hand.stop()
    hand.client.close()
    return took


def _median(act: Callable[[], float]) -> float:
    act()  # the first also compiles, caches and reads from disk
    return statistics.median(act() for _ in range(RUNS))


def _hand(url: str, user: str) -> WorkspaceClient:
    hand = WorkspaceClient(url, user)
    assert hand.log_in(SAME).status_code == 200
    return hand


def _memory() -> int:
    """The proportional memory of everything in a sandbox of ours."""
    sandboxes = [each for each in psutil.process_iter(["name"]) if each.info["name"] == "bwrap"]
    family = {child.pid for each in sandboxes for child in (each, *each.children(recursive=True))}
    return watchdog.memory(family)


@contextmanager
def running_lab(researchers: int) -> Iterator[tuple[str, Home]]:
    """A lab on a small city with this many researchers of one project: the hub's address, and the home."""
    home = Home(_small_home() / "home")
    ledger = home.ledger("research", writing=True)
    changes, store = AccountChanges(home.ledger("desk", writing=True)), credential_store(home.root)
    accounts = Accounts(changes.ledger)
    projects = Projects(ledger, accounts)
    if not accounts.all():
        changes.install(("petra", "pavel"))
    known = accounts.all()
    names = [f"r{number}" for number in range(1, researchers + 1)]
    for name in names:
        if name not in known:
            changes.request_account(name, (Role.RESEARCHER,), by=BY)
            set_up(store, accounts.get(name), SAME)
    if "bench" not in projects.all():
        tables = home.shelf.list(Kind.RELEASE)[0].terms["tables"]
        words = {"title": "bench", "purpose": "to be measured"}
        projects.open("bench", **words, ends_on=date(2027, 6, 1), tables=tables, by=BY, today=DAY)
    projects.set_members("bench", names, by=BY)
    with on_this_machine.gateway(home, DAY), on_this_machine.hub(home, today=DAY) as url:
        yield url, home


@lru_cache(maxsize=1)
def _small_home() -> Path:
    root = Path("var/bench/workspaces").resolve()
    shutil.rmtree(root, ignore_errors=True)
    env = {**os.environ, "HAIHE_HOME": str(root / "home"), "HAIHE_TODAY": DAY.isoformat()}
    city = ("city", "--subjects", str(SUBJECTS), "--out", str(root / "raw"))
    for words in (("keys",), city, ("intake", str(root / "raw")), ("release", "research"), ("practice",)):
        subprocess.run(
            [sys.executable, "-m", "infra.haihe", *requested(*words)], env=env, check=True, capture_output=True
        )
    return root
