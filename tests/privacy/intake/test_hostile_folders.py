"""A delivered folder may hold anything: what is no plain file is named and not read, and no name of a file stops an
intake or stands in a ledger.
"""

from __future__ import annotations

import contextlib
import os
import socket
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.intake import delivery
from privacy.intake.intake import intake
from tests.privacy.small_custody import CITY, TODAY, House, code, empty_house, register_of

pytestmark = pytest.mark.attack
HEAD = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,NOTE\n"
ROW = f"{code(1)},D0,2024-03-01,2024-03-02,,1,minor,normal,fine\n"
NAMED = "administrative_penalty.csv"


def _folder(house: House) -> Path:
    folder = house.root / "delivered"
    folder.mkdir()
    (folder / "registration.csv").write_text(register_of(3), encoding="utf-8")
    return folder


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound, contextlib.chdir(path.parent):
        bound.bind(path.name)  # a socket's path may have 107 bytes at most


def _link(path: Path) -> None:
    secret = path.parent.parent / "signing-custody.pem"
    secret.write_text("SECRET\nSECRET LINES\n")
    path.symlink_to(secret)


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _to_nothing(path: Path) -> None:
    path.symlink_to(path.name)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(HEAD.encode())
        file.truncate(1 << 42)


@pytest.mark.parametrize("make", [_pipe, _socket, _link, _endless, _to_nothing, _sparse, Path.mkdir])
def test_what_is_no_plain_file_is_named_and_the_others_are_read(house: House, make: Callable[[Path], Any]) -> None:
    folder = _folder(house)
    make(folder / NAMED)
    report = house.bring_paths([folder])
    assert report.ignored == (NAMED,)
    assert report.tables["registration"].kept == 3
    assert not house.quarantine()


def test_what_becomes_a_pipe_or_a_link_after_the_look_is_not_opened(tmp_path: Path) -> None:
    for make in (_pipe, _endless, _to_nothing):
        make(tmp_path / "late.csv")
        with pytest.raises(OSError):
            delivery._opened(tmp_path / "late.csv", "late.csv")
        (tmp_path / "late.csv").unlink()


def _change(path: Path, how: str) -> None:
    match how:
        case "longer":
            path.write_text(HEAD + ROW + ROW.replace("D0", "D1"))
        case "as long":
            path.write_text(HEAD + ROW.replace("D0", "D1"))
        case "replaced":
            path.with_name("new").write_text(HEAD + ROW)
            path.with_name("new").replace(path)
        case "pipe":
            path.unlink()
            os.mkfifo(path)
        case _:
            path.unlink()


@pytest.mark.parametrize("how", ["longer", "as long", "replaced", "gone", "pipe"])
def test_a_file_that_changes_before_it_is_read_leaves_nothing(house: House, how: str) -> None:
    """The digest in the ledger names the bytes that were read, or the file is named as not read."""
    folder = _folder(house)
    path = folder / NAMED
    path.write_text(HEAD + ROW)

    def at_its_turn(label: str, _done: int, _total: int) -> None:
        if label == "checking administrative_penalty":
            _change(path, how)

    report = intake(
        [folder], catalogue=house.catalogue, vault=house.vault, ledger=house.ledger, by=CITY, today=TODAY,
        progress=at_its_turn,
    )  # fmt: skip
    assert report.ignored == (NAMED,)
    assert NAMED not in report.files
    assert report.tables["registration"].kept == 3
    assert not house.quarantine()
    assert "administrative_penalty" not in house.vault.names()
    if path.is_file():
        assert house.bring_paths([folder]).tables["administrative_penalty"].kept >= 1


@pytest.mark.parametrize("how", ["longer", "as long", "replaced", "gone"])
def test_a_file_that_changes_within_its_reading_is_noticed_at_its_end(house: House, how: str) -> None:
    folder = _folder(house)
    (folder / NAMED).write_text(HEAD + ROW)
    file = next(each for each in delivery.delivery(folder, house.catalogue).files if each.name == NAMED)
    blocks = file.blocks(frozenset())
    assert next(blocks)
    _change(folder / NAMED, how)
    with pytest.raises(delivery.ChangedFile):
        list(blocks)


NAMES = st.binary(min_size=1, max_size=40).map(lambda raw: raw.replace(b"/", b"").replace(b"\0", b""))


@given(raw=NAMES | st.text(min_size=1, max_size=30).map(lambda text: text.replace("/", "").replace("\0", "").encode(
    "utf-8", "surrogatepass")))  # fmt: skip
@settings(max_examples=6, deadline=None)
def test_a_name_of_any_bytes_stops_nothing_and_is_in_no_ledger(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    house = empty_house(tmp_path_factory.mktemp("house"))
    folder = _folder(house)
    subject = code(1).encode()
    name = b"administrative_penalty" + subject + raw + b".csv"
    Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(HEAD + ROW + "x\n")
    report = house.bring_paths([folder])
    count = report.tables["administrative_penalty"]
    assert (count.rows_in, count.kept, count.quarantined) == (2, 1, 1)
    [named] = [each for each in report.files if each.startswith("administrative")]
    assert named.isprintable()
    assert named.encode()  # it is text: a name with bytes of no encoding could be neither stored nor shown
    assert code(1) not in "".join(str(entry) for entry in house.ledger.entries())


@given(raw=st.binary(min_size=1, max_size=60))
def test_a_readable_name_is_text_without_control_characters(raw: bytes) -> None:
    name = delivery.readable(os.fsdecode(raw))
    assert name.encode("utf-8")
    assert not any(unicodedata.category(sign)[0] == "C" for sign in name)


def test_a_name_in_gb18030_names_its_table(house: House) -> None:
    """Archives that were packed on Windows have such names."""
    folder = _folder(house)
    Path(os.fsdecode(os.fsencode(folder) + b"/" + "行政处罚第一季度.csv".encode("gb18030"))).write_text(HEAD + ROW)
    assert house.bring_paths([folder]).tables["administrative_penalty"].kept == 1


def test_two_files_of_one_name_in_folders_of_one_name_are_both_named(house: House) -> None:
    folders = [house.root / part / "march" for part in ("first", "second")]
    for number, folder in enumerate(folders):
        folder.mkdir(parents=True)
        (folder / NAMED).write_text(HEAD + ROW.replace("D0", f"D{number}"))
        (folder / "readme.doc").write_text("x")
    house.bring(registration=register_of(3))
    report = house.bring_paths(folders)
    assert len(report.files) == len(set(report.files.values())) == 2
    assert len(report.ignored) == 2


def test_no_column_that_names_a_subject_is_in_a_reason(house: House) -> None:
    folder = _folder(house)
    pq.write_table(pa.table({code(2): [[1]]}), folder / "administrative_penalty.parquet")
    report = house.bring_paths([folder])
    assert report.tables["administrative_penalty"].quarantined == 1
    assert code(2) not in str(report.tables)
    assert code(2) not in "".join(str(entry) for entry in house.ledger.entries())
