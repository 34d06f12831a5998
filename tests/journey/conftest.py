"""A small city taken through every zone up to a registered version, once for all tests of the journey."""

from __future__ import annotations

import json
from typing import Any

import pytest

from credit.files import write_atomically
from infra.home import Home
from tests.journey.hand import Hand, Walked


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory, mlflow_server: str) -> Walked:
    """Keys, city, intake, both releases, a trained and registered version."""
    root = tmp_path_factory.mktemp("journey")
    hand, home = Hand(root / "home", mlflow_server), Home(root / "home")
    for purpose in ("research", "scoring"):  # secrets of our own, so that folds, model and verdict are always the same
        write_atomically(home.keys("custody") / f"pseudonym-{purpose}.key", purpose.ljust(32).encode(), mode=0o600)
    hand.does("keys")
    hand.does("city", "--subjects", "4000", "--out", str(root / "raw"))
    results: dict[str, Any] = {"city": json.loads((root / "raw" / "city.json").read_text()), "raw": root / "raw"}
    with hand.zones():
        results["intake"] = hand.does("intake", str(root / "raw"))
        results["research"] = hand.does("release", "research")["release"]
        results["scoring"] = hand.does("release", "scoring")["release"]
        results["trained"] = hand.does("train", "enterprise")["enterprise"]
        results["version"] = results["trained"]["version"]
        hand.does("register", results["version"])
    return Walked(hand, home, results)
