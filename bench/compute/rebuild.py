"""Is what is made twice the same? A release, an order and a version, each in a second home with the same keys."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.flows.demo_steps import OUT, SIZES, walk
from bench.record import record
from infra import stack
from infra.demo.invented_city import CITY_DAY
from infra.home import Home


def rebuild_digest_equal() -> None:
    """1 when release, order and version have the same ids again, made from the raw files by other processes."""
    first = walk(SIZES[0])["models"]["enterprise"]  # type: ignore[index]
    once = Home((OUT / f"road-{SIZES[0]}" / "home").resolve())
    again = Home((OUT / "rebuilt").resolve())
    shutil.rmtree(again.root, ignore_errors=True)
    shutil.copytree(once.root / "keys", again.root / "keys")
    with stack.mlflow_server(again) as mlflow:
        env = {"HAIHE_HOME": str(again.root), "HAIHE_TODAY": CITY_DAY.isoformat(), "HAIHE_COMPUTE_MLFLOW_URI": mlflow}
        _does(env, "intake", str(once.root / "city"))
        release = _does(env, "release", "research")["release"]
        made = _does(env, "train", "enterprise", "individual_business")["enterprise"]
    order = next(parent for parent in once.shelf.open(first["version"]).seal.parents)
    same = {
        "release": release == first["release"],
        "order": made["order"] == order,
        "version": made["version"] == first["version"],
    }
    record("rebuild_digest_equal", float(all(same.values())), "1 if equal", goal=1, more=same)


def _does(env: dict[str, str], *words: str) -> dict[str, dict[str, str]]:
    command = [sys.executable, "-m", "infra.haihe", *words, "--json"]
    done = subprocess.run(
        command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True, check=True, cwd=Path.cwd()
    )
    output: dict[str, dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return output
