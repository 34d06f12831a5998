"""The command line logs in at a real hub, stores the token for its user and home, and logs out again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from credit.errors import Malformed
from infra.hub.cli_service import PORT
from infra.sign_in.hub_calls import HubCalls
from infra.sign_in.token_file import token_path
from tests.infra.running_hub import NAVIGATES, RunningHub, follow, xsrf_of


class Shell:
    """A shell of one user at the hub's home."""

    def __init__(self, hub: RunningHub, config: Path) -> None:
        self.hub = hub
        self.env = {"HAIHE_HOME": str(hub.home.root), "XDG_CONFIG_HOME": str(config), "LANG": "en"}

    def starts(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "infra.haihe", *words]
        env = {**os.environ, **self.env}
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def logs_in(self, name: str, press: bool = True) -> tuple[int, str, str]:
        """`haihe login`, with the user at the browser; exit code and outputs."""
        process = self.starts("login", "--json", "--no-browser")
        assert process.stderr is not None
        url = next(line.strip() for line in process.stderr if "/hub/login-again" in line)
        browser = self.hub.sign_in(name, path=url.removeprefix(self.hub.address))
        page = browser.get(f"{self.hub.address}{browser.headers['X-Next']}")
        if press:
            scopes = re.findall(r'name="scopes"[^>]*value="([^"]+)"', page.text)
            data = {"_xsrf": xsrf_of(browser), "scopes": scopes}
            done = browser.post(str(page.url), data=data, headers=NAVIGATES)
            follow(browser, done)
        out, errors = process.communicate(timeout=60)
        return process.returncode, out, errors


@pytest.mark.servers
def test_a_user_logs_in_and_out(running_hub: RunningHub, tmp_path: Path) -> None:
    """After the login the token is theirs, after the logout the hub does not know it and the file is removed."""
    shell = Shell(running_hub, tmp_path)
    code, out, errors = shell.logs_in("petra")
    assert code == 0, errors
    assert json.loads(out)["account"] == "petra"
    path = token_path(running_hub.home, shell.env)
    assert path.stat().st_mode & 0o777 == 0o600
    token = json.loads(path.read_bytes())["token"]
    assert token not in out + errors
    assert running_hub.call("sign-in", token).status_code == 200
    code, out, errors = shell.logs_in("alice")  # a second login takes the place of the first, whose token ends
    assert (code, json.loads(out)["account"]) == (0, "alice")
    assert running_hub.call("sign-in", token).status_code == 403
    token = json.loads(path.read_bytes())["token"]
    process = shell.starts("logout", "--json")
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert json.loads(out) == {"account": "alice"}
    assert not path.exists()
    assert running_hub.call("sign-in", token).status_code == 403


def test_no_token_is_sent_over_an_open_network() -> None:
    """A hub elsewhere is reached by https alone."""
    for address in (
        "http://lab.example",
        "ftp://localhost",
        "localhost:8000",
        "https://",
        "http://localhost.evil.example",
    ):
        with pytest.raises(Malformed):
            HubCalls(address, PORT)
    for address in ("https://lab.example", "http://localhost:8000", "http://127.0.0.1:8000"):
        HubCalls(address, PORT)
