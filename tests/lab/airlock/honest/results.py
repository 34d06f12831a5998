"""Honest results that newcomers were refused, and what this repository holds: none of them is returned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.lab.airlock.honest.made_results import made_results

FOLDER, ROOT = Path(__file__).parent, Path(__file__).parents[4]
OF_THE_REPOSITORY = (
    "README.md",
    "README.zh.md",
    "docs/researcher.md",
    "docs/zh/privacy.md",
    "models/declarations/enterprise.sql",
    "models/declarations/individual_business.sql",
    "lab/order_texts.py",
    "lab/airlock/gate.py",
    "lab/library/training.py",
    "credit/messages.py",
)


def honest_results() -> Iterator[tuple[str, bytes]]:
    """The name and the content of each; code of the repository lies here as text, so that it is not run or checked."""
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in (".md", ".txt", ".sql"):
            yield path.name.removesuffix(".txt") if path.name.endswith(".py.txt") else path.name, path.read_bytes()
    yield from made_results()
    yield "CHANGELOG.md", earlier_changes().encode()
    for name in OF_THE_REPOSITORY:
        yield name.replace("/", "_"), (ROOT / name).read_bytes()


def earlier_changes() -> str:
    """The changelog below the section that is being written: that one grows, and a test would then shape its words."""
    whole = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return "## " + whole.split("\n## ", 2)[2]
