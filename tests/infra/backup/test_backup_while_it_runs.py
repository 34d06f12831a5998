"""A backup of a home that is written to is one moment of it, and one that is killed leaves the others as they were."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from credit.errors import Broken
from credit.ledger.head import write_head
from credit.seal import Kind
from infra.backup.making import whole_backups
from infra.backup.restoring import restore
from infra.haihe import command_line
from infra.home import Home
from tests.infra.backup.small_home import BOB, add_client, add_rows, clients_of, seal_something, small_home, values_of

ENVIRONMENT = {"LANG": "C", "PATH": os.environ["PATH"]}


def silent(label: str, done: int, total: int) -> None:
    """Show nothing."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return small_home(tmp_path / "home")


@contextmanager
def written_to(home: Home) -> Iterator[None]:
    """Three writers, each of which enters in the ledger what it did, after it did it."""
    stop = threading.Event()

    def seals(number: int) -> None:
        seal_something(home, f"number {number}")

    def rows(number: int) -> None:
        add_rows(home, str(2017 + number % 3), number)
        home.ledger("custody", writing=True).append("intake.done", f"row-{number}", by=BOB)

    def clients(number: int) -> None:
        add_client(home, f"bank-{number}")
        home.ledger("desk", writing=True).append("client.added", f"bank-{number}", by=BOB)

    def repeat(act: object) -> None:
        number = 100
        while not stop.is_set():
            number += 1
            act(number)  # type: ignore[operator]

    writers = [threading.Thread(target=repeat, args=(act,)) for act in (seals, rows, clients)]
    for writer in writers:
        writer.start()
    try:
        yield
    finally:
        stop.set()
        for writer in writers:
            writer.join()


def test_what_a_ledger_names_is_in_the_backup_of_a_home_that_is_written_to(home: Home, tmp_path: Path) -> None:
    with written_to(home):
        for _ in range(3):
            done = haihe(home, "backup", str(tmp_path / "data"), "--keys", str(tmp_path / "keys"), "--json")
            made = json.loads(done.stdout)
            root = tmp_path / f"again-{Path(made['data']).name}"
            restore(Path(made["data"]), Path(made["keys"]), root, silent)
            require_whole(Home(root))


def require_whole(home: Home) -> None:
    """Every ledger verifies, and what its entries say was done is there."""
    entries = [entry for ledger in home.ledgers().values() for entry in ledger.entries()]
    named = {verb: {entry.object for entry in entries if entry.verb == verb} for verb in {e.verb for e in entries}}
    sealed = {seal.id for seal in home.shelf.list(Kind.RELEASE)}
    for seal in sealed:
        home.shelf.open(seal)
    assert {name for name in named["release.made"] if len(name) > 40} <= sealed
    rows = {f"row-{value}" for value in values_of(home)}
    assert named.get("intake.done", set()) <= rows
    assert named.get("client.added", set()) <= set(clients_of(home))


def test_a_backup_that_is_killed_leaves_the_others_whole_and_the_next_one_goes_on(home: Home, tmp_path: Path) -> None:
    chance = random.Random(20261201)
    for number in range(400):
        (home.root / "lab" / "homes" / "alice" / f"{number}.bin").write_bytes(chance.randbytes(4_000))
    haihe(home, "backup", str(tmp_path / "data"), "--keys", str(tmp_path / "keys"))
    [first] = whole_backups(tmp_path / "data")
    program = (
        "import sys; from pathlib import Path; from infra.backup.making import make_backup;"
        "print('begun', flush=True);"
        "make_backup(*map(Path, sys.argv[1:]), lambda *told: print('step', flush=True))"
    )
    command = [sys.executable, "-c", program, *map(str, (home.root, tmp_path / "data", tmp_path / "keys"))]
    for _ in range(8):
        for number in range(400):  # so that a run has something to copy
            (home.root / "lab" / "homes" / "alice" / f"{number}.bin").write_bytes(chance.randbytes(4_000))
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as running:
            assert running.stdout is not None
            assert running.stdout.readline() == b"begun\n"
            time.sleep(chance.random() * 0.4)  # at any moment of a run of about half a second
            running.send_signal(signal.SIGKILL)
        for whole in whole_backups(tmp_path / "data"):
            keys = whole_backups(tmp_path / "keys")
            assert keys
            root = tmp_path / "tried"
            restore(whole, keys[-1], root, silent)
            assert values_of(Home(root)) == [7, 8]
            subprocess.run(["rm", "-rf", str(root)], check=True)
    assert first in whole_backups(tmp_path / "data")


def test_a_restore_counts_the_entries_that_are_lost(home: Home, tmp_path: Path) -> None:
    haihe(home, "backup", str(tmp_path / "data"), "--keys", str(tmp_path / "keys"))
    for number in range(3):
        home.ledger("platform", writing=True).append("release.made", f"later-{number}", by=BOB)
    haihe(home, "ledger", "heads", "--out", str(tmp_path / "heads.json"))
    [data], [keys] = whole_backups(tmp_path / "data"), whole_backups(tmp_path / "keys")
    again = Home(tmp_path / "again")
    words = ("restore", str(data), "--keys", str(keys), "--heads", str(tmp_path / "heads.json"), "--json")
    facts = json.loads(haihe(again, *words).stdout)
    assert facts["entries_lost"]["platform"] == 3
    assert {count for name, count in facts["entries_lost"].items() if name != "platform"} == {0}
    assert facts["ledgers"]["platform"] == 5
    assert json.loads(haihe(again, "ledger", "verify", "--json").stdout)["platform"] == 5


@pytest.mark.parametrize("change", ["seq", "another home"])
def test_heads_without_a_signature_or_of_another_history_are_refused(home: Home, tmp_path: Path, change: str) -> None:
    for number in range(3):
        home.ledger("platform", writing=True).append("release.made", f"here-{number}", by=BOB)
    haihe(home, "backup", str(tmp_path / "data"), "--keys", str(tmp_path / "keys"))
    source = home
    if change == "another home":  # the same keys and the same beginning, and then other entries
        shutil.copytree(home.root, tmp_path / "other", ignore=shutil.ignore_patterns("desk-socket"))
        source = Home(tmp_path / "other")
        lines = (source.root / "ledgers" / "platform.jsonl").read_bytes().splitlines(keepends=True)
        (source.root / "ledgers" / "platform.jsonl").write_bytes(b"".join(lines[:5]))
        fifth = json.loads(lines[4])
        write_head(source.root / "ledgers" / "platform.jsonl", source.key("platform"), 5, fifth["id"])
        source.ledger("platform", writing=True).append("release.made", "elsewhere", by=BOB)
    file = tmp_path / "heads.json"
    haihe(source, "ledger", "heads", "--out", str(file))
    document = json.loads(file.read_bytes())
    if change == "seq":
        for row in document["heads"]:
            row["head"]["seq"] += 500
    file.write_text(json.dumps(document))
    again = Home(tmp_path / "again")
    with pytest.raises(Broken):
        haihe(again, "restore", str(tmp_path / "data"), "--keys", str(tmp_path / "keys"), "--heads", str(file))
    assert not again.root.exists()


def haihe(home: Home, *words: str) -> object:
    done = CliRunner().invoke(command_line(), words, env={**ENVIRONMENT, "HAIHE_HOME": str(home.root)})
    if done.exception is not None:
        raise done.exception
    return done
