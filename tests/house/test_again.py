"""`make test` tries what failed once more, alone: it names what then passes; what fails twice, or many, fail it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

AGAIN = Path(__file__).parents[1] / "again.py"
UNSTABLE = """
from pathlib import Path
def test_unstable():
    first = not Path("seen").exists()
    Path("seen").touch()
    assert not first
"""
ALWAYS = "def test_always():\n    assert False\n"
MANY = "import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_many(n):\n    assert False\n"
GOOD = "def test_good():\n    pass\n"


def tried(folder: Path, *words: str, **files: str) -> tuple[int, str, list[str]]:
    """The exit code, what was printed, and the tests that were named as unstable."""
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text, encoding="utf-8")
    command = [sys.executable, str(AGAIN), "part", "-q", "-p", "no:schemathesis", *words, "."]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    named = json.loads((folder / "var/bench/unstable.json").read_text(encoding="utf-8"))
    return run.returncode, run.stdout, named["part"]


@pytest.mark.parametrize("words", [(), ("-n", "2", "--dist", "worksteal")])
def test_what_passes_alone_is_named(tmp_path: Path, words: tuple[str, ...]) -> None:
    code, output, named = tried(tmp_path, *words, good=GOOD, unstable=UNSTABLE)
    assert code == 0
    assert named == ["test_unstable.py::test_unstable"]
    assert "UNSTABLE, to be repaired: test_unstable.py::test_unstable" in output


def test_what_fails_alone_too_fails(tmp_path: Path) -> None:
    assert tried(tmp_path, good=GOOD, unstable=UNSTABLE, always=ALWAYS)[0] == 1


def test_many_failures_are_not_tried_again(tmp_path: Path) -> None:
    code, output, named = tried(tmp_path, good=GOOD, many=MANY)
    assert (code, named) == (1, [])
    assert "tried again" not in output


def test_a_file_that_cannot_be_read_fails(tmp_path: Path) -> None:
    assert tried(tmp_path, good=GOOD, broken="import nothing_of_this_name\n")[0] != 0


def test_nothing_is_tried_again_where_all_passed(tmp_path: Path) -> None:
    code, output, named = tried(tmp_path, good=GOOD)
    assert (code, named) == (0, [])
    assert "tried again" not in output
