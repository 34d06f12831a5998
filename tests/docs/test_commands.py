"""What a document shows is run: each block of commands of the four guides, in order, in one shell, in a new folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from credit.files import write_atomically
from infra.desk import running
from infra.home import Home

ROOT = Path(__file__).parents[2]
GUIDES = ("city", "researcher", "platform", "bank")
BLOCK = re.compile(r"^```sh( background)?\n(.*?)^```", re.M | re.S)
START = """set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
"""
READY = """for _ in $(seq 300); do curl -sf http://127.0.0.1:8700/ready > /dev/null && break; sleep 0.2; done
"""


def blocks(guide: str) -> list[tuple[bool, str]]:
    text = (ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8")
    return [(bool(background), commands) for background, commands in BLOCK.findall(text)]


def script() -> str:
    parts = [START]
    for guide in GUIDES:
        for background, commands in blocks(guide):
            parts.append(
                f"echo '== {guide}'\n" + (f"( exec {commands.strip()} ) &\n{READY}" if background else commands)
            )
    return "".join(parts)


@pytest.mark.servers
def test_the_guides_run_as_they_stand(tmp_path: Path, mlflow_server: str) -> None:
    home = tmp_path / "var" / "lab"
    for purpose in ("research", "scoring"):  # secrets of our own, so that the model and the verdict are always the same
        write_atomically(home / "keys" / "custody" / f"pseudonym-{purpose}.key", purpose.ljust(32).encode(), mode=0o600)
    (tmp_path / "models").symlink_to(ROOT / "models")
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    env |= {"HAIHE_HOME": str(home), "HAIHE_COMPUTE_MLFLOW_URI": mlflow_server}
    zones = {f"HAIHE_{zone}_MLFLOW_URI": mlflow_server for zone in ("COMPUTE", "PLATFORM")}
    Home(home).ensure_keys()
    with running.desk_and_agents(Home(home), env=zones):  # once, and not for each command: it takes a few seconds
        done = subprocess.run(
            ["bash", "-c", script()], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "replayed" in done.stdout
    assert (tmp_path / "answer.json").exists()


def test_every_guide_shows_commands_and_every_verb_is_in_a_guide() -> None:
    from infra.verbs.table import VERBS

    shown = "\n".join(
        (ROOT / name).read_text(encoding="utf-8") for name in ["README.md", *(f"docs/{g}.md" for g in GUIDES)]
    )
    assert all(blocks(guide) for guide in GUIDES)
    for verb in VERBS:
        assert re.search(rf"haihe {verb}\b|make {verb}\b", shown), f"no guide shows haihe {verb}"


def test_every_link_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


def test_the_readme_is_one_screen() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 60
