"""A folder holds one idea: three to twelve files, imports in one direction, and a class name that no other file has."""

from __future__ import annotations

import ast
import itertools
from collections import Counter, defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("credit", "privacy", "lab", "models", "serving", "infra")
WITH_FOLDERS = ("models", "serving")  # no folder of these holds more than twelve files, none but the package's own few


def files_of(package: str) -> list[Path]:
    """The Python files of a package; the banks' client is a distribution of its own."""
    return [path for path in sorted((ROOT / package).rglob("*.py")) if not path.is_relative_to(ROOT / "serving/client")]


def folder_of(module: str, package: str) -> str | None:
    """The folder directly below `package` in which a module lies; a file of the package itself is its own folder."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == package else None


def imports_between_folders(package: str) -> dict[str, dict[str, set[str]]]:
    """Folder -> folders of the package that it imports -> the files that do."""
    graph: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in files_of(package):
        relative = path.relative_to(ROOT / package)
        here = relative.parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module] if folder_of(node.module, package) else []
                names = names or [f"{node.module}.{alias.name}" for alias in node.names]
                for name in names:
                    there = folder_of(name, package)
                    if there and there != here:
                        graph[here][there].add(str(relative))
    return graph


@pytest.mark.parametrize("package", PACKAGES)
def test_folders_import_each_other_in_one_direction(package: str) -> None:
    graph = imports_between_folders(package)
    try:
        list(TopologicalSorter({here: set(there) for here, there in graph.items()}).static_order())
    except CycleError as error:
        circle = error.args[1]
        ties = [f"{a} <- {b}: {sorted(graph[b][a])}" for a, b in itertools.pairwise(circle)]
        pytest.fail("\n".join(ties))


@pytest.mark.parametrize("package", PACKAGES)
def test_class_names_are_unique_within_a_package(package: str) -> None:
    names = Counter[str]()
    for path in files_of(package):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names.update(node.name for node in tree.body if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("package", WITH_FOLDERS)
def test_folders_hold_at_most_twelve_files(package: str) -> None:
    for folder in [ROOT / package, *(path for path in (ROOT / package).rglob("*") if path.is_dir())]:
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= 12, f"{folder.relative_to(ROOT)} has {len(files)} files"


def test_tests_mirror_the_packages() -> None:
    """A folder of tests below tests/models or tests/serving bears the name of a folder of that package."""
    for package in WITH_FOLDERS:
        for folder in {path.parent for path in (ROOT / "tests" / package).rglob("test_*.py")}:
            mirrored = ROOT / package / folder.relative_to(ROOT / "tests" / package)
            assert mirrored.is_dir(), f"{folder.relative_to(ROOT)} mirrors no folder of {package}"
