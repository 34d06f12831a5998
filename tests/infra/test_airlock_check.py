"""``haihe airlock check`` writes what would leave of a folder; where it may not leave, nothing and the findings."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from credit.errors import Malformed
from infra.haihe import command_line

FILES = {"bands.json": b'[{"band": "A", "firms": 120}, {"band": "B", "firms": 85.0}]', "notes.md": b"Bands of firms.\n"}


def check(folder: Path, files: dict[str, bytes], *options: str, **changes: Any) -> Result:
    given = folder / "given"
    given.mkdir(exist_ok=True)
    for name, content in files.items():
        (given / name).write_bytes(content)
    about = {name: {"what": "bands of firms", "subjects": 205} for name in files}
    context = {"title": "Bands", "purpose": "a paper", "files": about, "releases": ["release-1"]} | changes
    (folder / "context.json").write_text(json.dumps(context))
    words = ["airlock", "check", str(given), "--context", str(folder / "context.json"), "--out", str(folder / "out")]
    done = CliRunner().invoke(command_line(), [*words, *options])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_what_would_leave_is_written_by_the_airlock(tmp_path: Path) -> None:
    done = check(tmp_path, FILES, "--json")
    data = json.loads(done.stdout)
    assert (done.exit_code, data["outcome"]) == (0, "pass")
    written = {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()}
    assert {name: len(content) for name, content in written.items()} == data["files"]
    assert {"bands.csv", "bands.parquet", "notes.md"} <= set(written)
    rows = list(csv.reader(written["bands.csv"].decode().splitlines()))
    assert rows == [["band", "firms"], ["A", "120"], ["B", "85"]]
    assert set(data["context"]["files"]) == {"bands.csv", "notes.md"}


def test_nothing_is_written_of_files_that_may_not_leave(tmp_path: Path) -> None:
    done = check(tmp_path, FILES | {"small.csv": b"band,firms\nA,3\nB,60\n"}, "--json")
    data = json.loads(done.stdout)
    assert (done.exit_code, data["outcome"], data["files"], data["context"]) == (3, "fail", {}, {})
    assert any(each["check"] == "small counts" and each["outcome"] == "fail" for each in data["findings"])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["context.json", "given"]
    plain = check(tmp_path, FILES | {"small.csv": b"band,firms\nA,3\nB,60\n"})
    assert plain.exit_code == 3
    assert "small counts" in plain.stdout


@pytest.mark.parametrize("odd", ["a link", "a folder", "no context", "out exists"])
def test_what_cannot_be_read_is_an_error_and_no_file(odd: str, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    changes: dict[str, Any] = {}
    if odd == "a link":
        (given / "link.csv").symlink_to("/etc/hostname")
    elif odd == "a folder":
        (given / "inner").mkdir()
    elif odd == "no context":
        changes = {"note": "more"}
    else:
        (tmp_path / "out").mkdir()
    with pytest.raises(Malformed):
        check(tmp_path, FILES, **changes)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
