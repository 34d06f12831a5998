"""Forged records of processes do not stop ``haihe status``, and have it connect to no other machine."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.haihe import command_line
from infra.home import Home
from infra.processes import LARGEST_RECORD, Process, began, probe, running, unreadable

PID = os.getpid()
GOOD = {"name": "worker", "pid": PID, "address": "", "health": "", "began": began(PID)}
FORGED: dict[str, Any] = {
    "a list": [], "a number": 7, "a name that is a list": GOOD | {"name": ["x"]}, "a pid in words": GOOD | {"pid": "1"},
    "a true pid": GOOD | {"pid": True}, "a negative pid": GOOD | {"pid": -1}, "no pid": {"name": "worker"},
    "another key": GOOD | {"x": 1}, "began in words": GOOD | {"began": "now"},
    "health is a number": GOOD | {"health": 5},
    "another machine": GOOD | {"health": "http://192.0.2.1/health"},
    "a file": GOOD | {"health": f"file:{3 * chr(47)}etc/passwd"},
    "a user": GOOD | {"health": "http://127.0.0.1@evil.example/"}, "a bad port": GOOD | {"address": "http://localhost:x"},
    "a longer name": GOOD | {"health": "http://127.0.0.1.evil.example/"}, "no URL": GOOD | {"health": "http://["},
    "a line break": GOOD | {"health": "unix:/x:/a\r\nHost: b"}, "large": GOOD | {"name": "x" * LARGEST_RECORD},
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.ensure_keys()
    assert Process("worker", PID, "", "").record(home) is not None
    return home


def check_status(home: Home, name: str) -> None:
    assert [each.name for each in running(home)] == ["worker"]
    assert unreadable(home) == [name]
    for words in (["status"], ["status", "--json"]):
        done = CliRunner().invoke(command_line(), words, env={"HAIHE_HOME": str(home.root), "LC_ALL": "C.UTF-8"})
        assert (done.exit_code, name in done.stdout, "unreadable" in done.stdout) == (0, True, True)


@pytest.mark.parametrize("which", FORGED)
def test_a_record_of_another_form_is_shown_as_unreadable(home: Home, which: str) -> None:
    (home.root / "running" / "forged.json").write_text(json.dumps(FORGED[which]))
    check_status(home, "forged.json")


def test_what_is_no_json_is_shown_as_unreadable(home: Home) -> None:
    for data in (b"", b"[" * 10_000, b"\xff\xfe", b"{"):
        (home.root / "running" / "forged.json").write_bytes(data)
        check_status(home, "forged.json")


def test_what_is_no_regular_file_is_not_read(home: Home) -> None:
    path = home.root / "running" / "forged.json"
    os.mkfifo(path)
    check_status(home, path.name)
    path.unlink()
    path.symlink_to("/dev/zero")
    check_status(home, path.name)
    path.unlink()
    path.mkdir()
    check_status(home, path.name)


@pytest.mark.parametrize("health", ["http://127.0.0.1:99999999/", "http://[", "unix:\x00:/", "unix:/nowhere"])
def test_a_health_check_that_cannot_be_made_fails(health: str) -> None:
    assert not probe(health)
