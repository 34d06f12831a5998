"""A workspace ends with its project, its account and the hub, and leaves no process."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from datetime import date
from pathlib import Path

import psutil
import pytest

from infra import lab_services as on_this_machine
from infra.home import Home
from tests.lab.workspace.conftest import DAY, PLATFORM, SMALL, Lab, password
from tests.lab.workspace.workspace_client import WorkspaceClient

pytestmark = [pytest.mark.servers, pytest.mark.attack]


def sandboxed(home: Home) -> list[psutil.Process]:
    """The processes of this home's sandboxes."""
    processes = []
    for process in psutil.process_iter(["cmdline", "name"]):
        with contextlib.suppress(psutil.Error):
            if process.info["name"] == "bwrap" and any(
                str(home.root) in word for word in process.info["cmdline"] or ()
            ):
                processes += [process, *process.children(recursive=True)]
    return processes


def hub_of(home: Home) -> int:
    """The process id of the hub of this home."""
    for process in psutil.process_iter(["cmdline", "environ"]):
        words, env = process.info["cmdline"] or [], process.info["environ"] or {}
        if len(words) > 1 and words[1].endswith("/jupyterhub") and env.get("HAIHE_HUB_HOME") == str(home.root):
            return process.pid
    raise AssertionError("there is no hub")


def test_a_lapsed_project_ends_its_workspace_and_starts_none(lab: Lab) -> None:
    carol = lab.client_of("carol")
    kernel = carol.kernel()
    assert kernel.run("1 + 1") == "2"
    lab.projects.close("brief", by=PLATFORM)
    limit = time.monotonic() + 20
    while time.monotonic() < limit and carol.call("GET", "/api/status", follow_redirects=False).status_code == 200:
        time.sleep(0.3)
    assert carol.call("GET", "/api/status", follow_redirects=False).status_code != 200
    answer = carol.start()
    assert answer.status_code >= 400 or "no project" in answer.text
    lab.projects.extend("brief", date(2027, 6, 1), by=PLATFORM, today=date(2026, 11, 1))


def test_reviewers_and_unknown_users_have_no_workspace(lab: Lab) -> None:
    rita = WorkspaceClient(lab.url, "rita")
    rita.log_in(password("rita"))
    answer = rita.start(seconds=10)
    assert "jupyter-config-data" not in answer.text
    unknown_user = WorkspaceClient(lab.url, "alice")
    assert unknown_user.log_in("a wrong password").status_code in (403, 429)
    assert "alice" not in str(unknown_user.client.get("/hub/home").url)


def test_guessing_passwords_is_slowed_down(lab: Lab) -> None:
    guesser = WorkspaceClient(lab.url, "petra")
    codes = [guesser.log_in(f"guess number {number}").status_code for number in range(8)]
    assert codes[0] == 403
    assert 429 in codes
    assert guesser.log_in(password("petra")).status_code == 429, "also the right one has to wait now"


def test_a_killed_hub_leaves_no_workspace(tmp_path: Path, city_home: Home) -> None:
    home = _copy(city_home, tmp_path / "home")
    with on_this_machine.gateway(home, DAY), on_this_machine.hub(home, today=DAY, env=SMALL) as url:
        workspace = WorkspaceClient(url, "alice")
        workspace.log_in(password("alice"))
        workspace.start()
        assert workspace.kernel().run("1 + 1") == "2"
        family, others = sandboxed(home), psutil.Process(hub_of(home)).children()
        assert len(family) >= 6, "a server and a kernel, each in its sandbox"
        console = [process for process in others if "lab.console" in process.cmdline()]
        assert len(console) == 1
        workspace.client.close()
        os.kill(hub_of(home), signal.SIGKILL)
        _, remaining = psutil.wait_procs([*family, *console], timeout=10)
        for process in others:  # the proxy waits for the next hub of this home, and there is none
            with contextlib.suppress(psutil.Error):
                process.kill()
        assert not [process for process in remaining if process.status() != psutil.STATUS_ZOMBIE]


def _copy(home: Home, to: Path) -> Home:
    shutil.copytree(home.root, to, ignore=shutil.ignore_patterns("hub", "homes", "logs", "run"))
    return Home(to)
