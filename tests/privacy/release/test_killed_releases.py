"""A release that is killed at any moment is made again from where it was, and is the one that was never killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from credit.canonical import digest
from credit.seal import Kind, Seal
from privacy.release.making.journal import ReleaseJournal
from privacy.release.policy import Policy
from tests.privacy.small_custody import House, code, empty_house, house_of, register_of

ROOT = Path(__file__).parents[3]
HEAD = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,NOTE\n"
PENALTIES = HEAD + "".join(
    f"{code(n)},D{n},202{n % 4}-03-01,2024-03-05,{'2025-01-01' if n % 5 == 0 else ''},{n},minor,normal,\n"
    for n in range(120)
)
KILLED = """
    import os, signal, sys
    from pathlib import Path
    from tests.privacy.release.test_killed_releases import released
    from tests.privacy.small_custody import house_of
    left, house = int(sys.argv[3]), house_of(Path(sys.argv[1]))
    def die(event, arguments):
        global left
        if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir") and ".making" in str(arguments[0]):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(die)
    released(house, sys.argv[2])
"""


def released(house: House, purpose: str) -> Seal:
    """A release of many small buckets."""
    policy = Policy.load()
    return house.release(purpose, policy=Policy(policy.purposes, policy.bucket_sizes, 30, 500_000))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = empty_house(tmp_path_factory.mktemp("filled"))
    house.bring(registration=register_of(150), administrative_penalty=PENALTIES)
    return house


def copied(house: House, root: Path) -> House:
    shutil.copytree(house.root, root)
    return house_of(root)


def killed(house: House, purpose: str, events: int) -> dict[str, int]:
    """Kill a release after so many acts on its folder; returns the inodes of the files that are there by digest."""
    script = [sys.executable, "-c", textwrap.dedent(KILLED), str(house.root), purpose, str(events)]
    ended = subprocess.run(script, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert ended.returncode in (-signal.SIGKILL, 0)
    making = (house.root / "shelf" / ".making").glob("release-*/files/*/*.parquet")
    return {digest(path): path.stat().st_ino for path in making}


@pytest.mark.parametrize(
    ("purpose", "events"),
    [("scoring", each) for each in (0, 2, 9, 20, 37, 60, 90, 150)] + [("research", each) for each in (5, 60, 150)],
)
def test_it_is_killed_and_made_again(filled: House, tmp_path: Path, purpose: str, events: int) -> None:
    """The same seal, one entry for it, and no file in preparation is left; what was finished is not written again."""
    whole, house = copied(filled, tmp_path / "whole"), copied(filled, tmp_path / "killed")
    left = killed(house, purpose, events)
    seal = released(house, purpose)
    assert seal.id == released(whole, purpose).id
    assert house.shelf.open(seal.id).seal == seal
    assert sum(entry.verb == "release.made" for entry in house.ledger.about(seal.id)) >= 1
    assert not list((house.root / "shelf" / ".making").iterdir())
    assert len(house.shelf.list(Kind.RELEASE)) == 1
    if purpose == "scoring" and len(left) > 2:
        files = house.shelf.open(seal.id).path.glob("*/*.parquet")
        kept = [path for path in files if left.get(digest(path)) == path.stat().st_ino]
        assert len(kept) >= len(left) - 1  # the last one may have been written, and not entered yet


def test_what_another_release_left_is_not_used(filled: House, tmp_path: Path) -> None:
    """The records are others, or another key made the entries: everything is made again."""
    house = copied(filled, tmp_path / "house")
    killed(house, "scoring", 60)
    house.bring(registration=register_of(151))
    whole = copied(filled, tmp_path / "whole")
    whole.bring(registration=register_of(151))
    assert released(house, "scoring").id == released(whole, "scoring").id
    assert not list((house.root / "shelf" / ".making").iterdir())


def test_an_entry_that_was_cut_off_or_copied_and_a_changed_file_do_not_count(tmp_path: Path) -> None:
    """Each is made again."""
    journal = ReleaseJournal(tmp_path, "plan", b"k" * 32)
    (journal.files / "a").mkdir()
    for name in ("a/1", "a/2"):
        (journal.files / name).write_text(name)
        journal.enter_file("a", name)
    journal.enter_table("a", {"rows": 2})
    assert ReleaseJournal(tmp_path, "plan", b"k" * 32).entries == journal.entries
    assert journal.finished_files("a") == {"a/1", "a/2"}
    (journal.files / "a/1").write_text("changed")
    assert journal.finished_files("a") == {"a/2"}
    whole = (tmp_path / "journal").read_bytes()
    (tmp_path / "journal").write_bytes(whole[:-9])
    again = ReleaseJournal(tmp_path, "plan", b"k" * 32)
    assert again.finished_table("a") is None
    assert again.finished_files("a") == {"a/2"}
    first, second = whole.splitlines(keepends=True)[:2]
    (tmp_path / "journal").write_bytes(second + first)  # in another order
    assert ReleaseJournal(tmp_path, "plan", b"k" * 32).entries == []
    for plan, key in (("another", b"k"), ("plan", b"x")):
        (tmp_path / "journal").write_bytes(whole)
        assert ReleaseJournal(tmp_path, plan, key * 32).entries == []
