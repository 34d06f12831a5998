"""A backup has all of a home but what a running lab makes again, in two places; a restored home is the one it was."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.errors import Broken, CreditError, Missing, Refused
from infra.backup.making import MadeBackup, make_backup, whole_backups
from infra.backup.manifest import NAME
from infra.backup.restoring import restore
from infra.home import Home
from privacy.custody_vault import open_vault
from privacy.settings import CustodySettings
from tests.infra.backup.small_home import (
    add_rows,
    clients_of,
    small_home,
    values_of,
    vault_of,
)


def silent(label: str, done: int, total: int) -> None:
    """Show nothing."""


def backed_up(home: Home, folder: Path) -> MadeBackup:
    return make_backup(home.root, folder / "data", folder / "keys", silent)


def restored(made: MadeBackup, root: Path) -> Home:
    restore(made.data, made.keys, root, silent)
    return Home(root)


def everything(root: Path) -> dict[str, tuple[str, int, bytes]]:
    """Each file, folder and link below a folder: what it is, who may do what, and its bytes."""
    content: dict[str, tuple[str, int, bytes]] = {}
    for path in sorted(root.rglob("*")):
        mode, name = path.lstat().st_mode, path.relative_to(root).as_posix()
        if path.is_symlink():
            content[name] = ("link", 0, os.readlink(path).encode())
        elif path.is_dir():
            content[name] = ("folder", stat.S_IMODE(mode), b"")
        elif path.is_file():
            content[name] = ("file", stat.S_IMODE(mode), path.read_bytes())
    return content


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return small_home(tmp_path / "home")


def test_a_restored_home_is_the_one_it_was_without_logs_and_sockets(home: Home, tmp_path: Path) -> None:
    home.root.chmod(0o751)
    made = backed_up(home, tmp_path)
    again = restored(made, tmp_path / "again")
    assert stat.S_IMODE(again.root.stat().st_mode) == 0o751
    before, after = everything(home.root), everything(again.root)
    lost = {name for name in before.keys() - after.keys() if not name.endswith(("-wal", "-shm"))}
    assert lost == {"logs", "logs/hub.log", "shelf/.making"}
    assert not after.keys() - before.keys()
    differing = {name for name in after if after[name] != before[name]}
    assert differing <= {"service/access.db"}  # copied by SQLite: the same rows in other pages
    assert clients_of(again) == ["harbour-bank"]
    assert values_of(again) == [7, 8]
    assert [ledger.verify() for ledger in again.ledgers().values()]


def test_no_key_and_no_secret_is_in_the_part_of_the_data(home: Home, tmp_path: Path) -> None:
    (home.root / "lab" / "hub").mkdir()
    (home.root / "lab" / "hub" / "cookie_secret").write_bytes(b"c" * 32)
    made = backed_up(home, tmp_path)
    secrets = [path.read_bytes() for path in (home.root / "keys").rglob("*") if path.suffix in (".pem", ".key")]
    secrets += [path.read_bytes() for path in (home.root / "raw" / "keys").rglob("*.key")] + [b"c" * 32]
    data = [path.read_bytes() for path in made.data.rglob("*") if path.is_file()]
    assert len(secrets) > 8
    assert not [secret for secret in secrets if any(secret in content for content in data)]
    assert stat.S_IMODE(made.data.stat().st_mode) == stat.S_IMODE(made.keys.stat().st_mode) == 0o700


def test_a_second_backup_copies_what_changed_and_keeps_the_newest_keys_alone(home: Home, tmp_path: Path) -> None:
    first = backed_up(home, tmp_path)
    add_rows(home, "2017", 9)
    second = backed_up(home, tmp_path)
    assert second.copied < first.copied
    same = "lab/homes/alice/notes.txt"
    assert (first.data / same).stat().st_ino == (second.data / same).stat().st_ino
    assert [each.name for each in whole_backups(tmp_path / "keys")] == [second.keys.name]
    assert [each.name for each in whole_backups(tmp_path / "data")] == [first.data.name, second.data.name]
    assert values_of(restored(second, tmp_path / "second")) == [7, 8, 9]
    restore(tmp_path / "data", tmp_path / "keys", tmp_path / "newest", silent)
    assert values_of(Home(tmp_path / "newest")) == [7, 8, 9]
    restore(first.data, second.keys, tmp_path / "first", silent)  # data of one day by the keys of a later one
    assert values_of(Home(tmp_path / "first")) == [7, 8]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 10_000), way=st.sampled_from(["flip", "cut", "add", "remove"]), at=st.integers(0, 10_000))
def test_a_backup_in_which_one_file_changed_makes_no_home(
    home: Home, tmp_path_factory: pytest.TempPathFactory, place: int, way: str, at: int
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    made = backed_up(home, folder)
    files = sorted(path for part in (made.data, made.keys) for path in part.rglob("*") if path.is_file())
    files = [path for path in files if path.name != NAME and path.stat().st_size and not path.is_symlink()]
    path = files[place % len(files)]
    content = bytearray(path.read_bytes())
    if way == "flip":
        content[at % len(content)] ^= 1
    elif way == "cut":
        del content[at % len(content) :]
    elif way == "add":
        content.append(at % 256)
    path.unlink()
    if way != "remove":
        path.write_bytes(content)
    with pytest.raises((Broken, Missing)):
        restored(made, folder / "again")
    assert not (folder / "again").exists()
    assert not list(folder.glob(".*"))  # no keys are left beside it


def test_a_period_whose_key_was_destroyed_does_not_come_back_with_an_older_backup(home: Home, tmp_path: Path) -> None:
    first = backed_up(home, tmp_path)
    vault_of(home).destroy("things", "2015")
    add_rows(home, "2015", 70)  # under a new key
    second = backed_up(home, tmp_path)
    restore(first.data, second.keys, tmp_path / "again", silent)
    again = Home(tmp_path / "again")
    custody = again.settings(CustodySettings, "custody", {})
    vault = open_vault(custody, again.ledger("custody", writing=True))
    assert vault.read("things").column("a").to_pylist() == [8]
    assert [e.object for e in again.ledger("custody").entries() if e.verb == "period.destroyed"] == [
        "period-things-2015"
    ]
    add_rows(again, "2015", 71)
    assert not open_vault(custody, again.ledger("custody", writing=True)).leave_out_destroyed()
    assert values_of(again) == [8, 71]


def test_the_home_as_it_is_now_keeps_a_period_that_began_again_after_its_key_was_destroyed(home: Home) -> None:
    vault_of(home).destroy("things", "2015")
    add_rows(home, "2015", 70)
    assert vault_of(home).leave_out_destroyed() == []
    assert values_of(home) == [8, 70]


@pytest.mark.parametrize(
    ("places", "id"),
    [
        (("home/inside", "keys"), "backup.places-not-apart"),
        (("data", "data/keys"), "backup.places-not-apart"),
        (("data", "data"), "backup.places-not-apart"),
        ((".", "keys"), "backup.places-not-apart"),
    ],
)
def test_folders_that_lie_in_one_another_are_refused(
    home: Home, tmp_path: Path, places: tuple[str, str], id: str
) -> None:
    with pytest.raises(CreditError) as refused:
        make_backup(home.root, (tmp_path / places[0]).resolve(), tmp_path / places[1], silent)
    assert refused.value.message.id == id


def test_nothing_is_restored_over_a_home_from_older_keys_or_from_a_backup_that_was_stopped(
    home: Home, tmp_path: Path
) -> None:
    first = backed_up(home, tmp_path)
    shutil.copytree(first.keys, tmp_path / "older")
    second = backed_up(home, tmp_path)
    wrong = {
        "backup.home-exists": (second.data, second.keys, home.root),
        "backup.keys-older": (second.data, tmp_path / "older", tmp_path / "again"),
        "backup.no-keys-here": (second.data, second.data, tmp_path / "again"),
        "backup.none-here": (tmp_path / "older", tmp_path / "nothing", tmp_path / "again"),
    }
    for id, places in wrong.items():
        with pytest.raises(CreditError) as refused:
            restore(*places, silent)
        assert refused.value.message.id == id
    (second.data / NAME).write_text(json.dumps({"form": 1}))
    with pytest.raises(Broken):
        restore(second.data, second.keys, tmp_path / "again", silent)
    with pytest.raises(Missing):
        make_backup(tmp_path / "nothing", tmp_path / "data", tmp_path / "keys", silent)


def test_a_file_that_cannot_be_written_ends_a_backup_and_the_next_one_goes_on(home: Home, tmp_path: Path) -> None:
    """The operating system's limit on the size of a file stands for a disk that takes no more."""
    (home.root / "lab" / "homes" / "alice" / "large.bin").write_bytes(os.urandom(3 << 20))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(Refused) as refused:
            backed_up(home, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert refused.value.message.id == "backup.no-room"
    assert not whole_backups(tmp_path / "data")
    assert values_of(restored(backed_up(home, tmp_path), tmp_path / "again")) == [7, 8]
