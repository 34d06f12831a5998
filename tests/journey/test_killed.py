"""A release, train or snapshot whose agent is killed leaves nothing half made, and runs again to the same digest."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from credit.seal import Kind
from infra.home import Home
from tests.journey.hand import Hand, Walked

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def other(walked: Walked, tmp_path_factory: pytest.TempPathFactory) -> tuple[Hand, Home]:
    """A home like the walked one, to break things in."""
    root = tmp_path_factory.mktemp("killed") / "home"
    shutil.copytree(walked.home.root, root)
    return Hand(root, walked.hand.env["HAIHE_COMPUTE_MLFLOW_URI"]), Home(root)


@pytest.mark.parametrize("verb", ["release", "train", "snapshot"])
def test_a_killed_verb_leaves_nothing_half_made(other: tuple[Hand, Home], verb: str) -> None:
    hand, home = other
    kind, words = {
        "release": (Kind.RELEASE, ("release", "research")),
        "train": (Kind.VERSION, ("train", "individual_business")),
        "snapshot": (Kind.SNAPSHOT, ("snapshot", "enterprise")),
    }[verb]
    if verb == "snapshot":
        version = home.shelf.list(Kind.VERSION)[0]
        hand.run("promote", version.id, "--by", "platform:bob")
    made = made_by(hand, *words)
    kind_folder = home.root / "shelf" / kind
    shutil.rmtree(kind_folder / made.partition("-")[2])
    before = {place.name for place in kind_folder.iterdir()}

    for seconds in (None, 0.3):  # as soon as it begins to write, and a little later
        with hand.starts(*words) as started:
            family = wait_for(home.root / "shelf" / ".making", started.pid)
            time.sleep(seconds or 0)
            family += psutil.Process(started.pid).children(recursive=True)
            kill(started, family)
        for name in {place.name for place in kind_folder.iterdir()} - before:  # it was faster than the kill: then whole
            assert home.shelf.open(f"{kind}-{name}").seal.id == made
            shutil.rmtree(kind_folder / name)
        _, survivors = psutil.wait_procs(family, timeout=20)
        assert not [process for process in survivors if process.status() != psutil.STATUS_ZOMBIE], (
            "nothing is left running"
        )
    assert made_by(hand, *words) == made, "it runs again to the same digest"
    assert not list((home.root / "shelf" / ".making").iterdir())
    hand.does("ledger", "verify")


def made_by(hand: Hand, *words: str) -> str:
    """The id of the seal a verb makes."""
    result = hand.does(*words)
    if words[0] == "train":
        return str(result["individual_business"]["version"])
    return str(result[words[0]])


def kill(verb: subprocess.Popen[bytes], family: list[psutil.Process]) -> None:
    """Kill the verb, its desk and its agents at once. What an agent has started is left to end by itself."""
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(part in ("infra.desk", "infra.agents") for part in process.cmdline()):
                process.kill()
    verb.send_signal(signal.SIGKILL)
    verb.wait()


def wait_for(making: Path, pid: int) -> list[psutil.Process]:
    """Wait until an agent of the verb is making something; all that the verb has started by then.

    What is being made lies in a folder with the agent's number; a release, in one that the next process resumes.
    """
    began, limit = time.time(), time.monotonic() + 120
    while time.monotonic() < limit:
        folders = list(making.iterdir()) if making.is_dir() else []
        family = psutil.Process(pid).children(recursive=True) if folders else []
        numbers = {str(process.pid) for process in family}
        if any(each.name.partition("-")[0] in numbers or is_written(each, began) for each in folders):
            return family
        time.sleep(0.01)
    raise AssertionError("it never began to make a seal")


def is_written(folder: Path, since: float) -> bool:
    """Whether something in a folder of a release changed since then."""
    with contextlib.suppress(FileNotFoundError):
        return folder.name.startswith("release-") and any(
            path.stat().st_mtime > since for path in (folder, *folder.rglob("*"))
        )
    return False
