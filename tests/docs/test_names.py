"""Every Python name of this project that a page mentions or imports exists."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = "credit|privacy|lab|models|serving|infra|bench|haihe_client"
MENTION = re.compile(rf"`((?:{PACKAGES})(?:\.\w+)+)(?:\([^`]*\))?`")
IMPORT = re.compile(rf"^from ((?:{PACKAGES})[\w.]*) import (\w+)$", re.M)
FILE_NAMES = {"models.py", "lab.py", "credit.py", "privacy.py"}  # files of a researcher that the page mentions


def names(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    imported = {f"{module}.{name}" for module, name in IMPORT.findall(text)}
    return {*MENTION.findall(text), *imported} - FILE_NAMES


def exists(name: str) -> bool:
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[count:]:
            value = getattr(value, attribute, None)
        return value is not None
    return False


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_every_name_that_a_page_mentions_exists(page: Path) -> None:
    assert [name for name in sorted(names(page)) if not exists(name)] == []


def test_a_name_that_does_not_exist_is_noticed() -> None:
    assert exists("haihe_client.ServiceClient")
    assert not exists("haihe_client.NoSuchClient")
    assert not exists("serving.no_such_module.Client")
