"""The examples in the docstrings of the library run with exactly the output that they show."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tests.lab.running_gateway import House

MODULES = ("query", "catalogue", "export", "orders", "features", "training", "guide")


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_run(kernel: House, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(f"lab.library.{name}")
    flags = doctest.NORMALIZE_WHITESPACE
    outcome = doctest.testmod(module, optionflags=flags)
    assert outcome.failed == 0
    assert outcome.attempted > 0
