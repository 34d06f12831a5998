"""What the library's docstrings show is what happens, word for word."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tests.lab.running_gateway import House

MODULES = ("query", "catalogue", "export", "orders", "features", "training")


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_run(kernel: House, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(f"lab.library.{name}")
    flags = doctest.NORMALIZE_WHITESPACE
    told = doctest.testmod(module, optionflags=flags)
    assert told.failed == 0
    assert told.attempted > 0
