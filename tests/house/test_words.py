"""One word for one thing: words that mean two things are not used, and nothing of a machine is in the tree."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from bench.words.scan import scan

ROOT = Path(__file__).parents[2]
FORBIDDEN = {  # identifier -> what to write instead
    "psi": "private_intersection or stability_index",
    "pd": "default_probability",
    "utils": "the name of what it does",
    "helpers": "the name of what it does",
    "common": "the name of what it does",
}
MACHINE = re.compile(r"/root/|/work/|\.pyenv|file:///|10\.\d+\.\d+\.\d+|PRIVATE KEY-----\n[A-Za-z0-9+/]")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    names = listed.stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def python() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


@pytest.mark.parametrize("path", python(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_forbidden_identifier(path: Path) -> None:
    names: set[str] = {path.stem, path.parent.name}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.alias) and node.asname:
            names.add(node.asname)
    for name in names:
        assert name not in FORBIDDEN, f"{name}: write {FORBIDDEN[name]}"


def test_no_word_of_the_word_list_is_used() -> None:
    """Names, docstrings and comments are in the terms of the field: ``python -m bench.words`` lists what is not."""
    flags = [*scan(), *scan([ROOT / "tests"])]
    assert flags == [], f"{len(flags)} flags, the first: {flags[:5]}"


def test_every_glossary_word_is_explained_once() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \|", (ROOT / "docs/glossary.md").read_text(encoding="utf-8"), re.M)
    words = [english.strip("`* ") for english, _ in rows if not set(english) <= set("-: ")]
    assert len(words) == len(set(words)) > 25


def test_nothing_of_a_machine_is_in_the_tree() -> None:
    for path in tracked():
        if path.name == "uv.lock" or path.suffix in (".png", ".parquet") or path == Path(__file__):
            continue
        match = MACHINE.search(path.read_text(encoding="utf-8"))
        assert not match, f"{path.relative_to(ROOT)} holds {match and match.group()}"


def test_files_are_small() -> None:
    for path in python():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 300, f"{path.relative_to(ROOT)} has {lines} lines: it is two ideas"
