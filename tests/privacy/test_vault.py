"""A raw table is read as it was written; a changed byte, a lost file, another key or another place is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.errors import Broken, Malformed, Missing, Refused
from privacy.storage import partition
from privacy.storage.change import PERIOD
from privacy.vault import BUCKET, FILE, POSITION, Vault


def rows(period: str, numbers: list[int]) -> pa.RecordBatch:
    """Rows of one period, sorted by bucket."""
    numbers = sorted(numbers, key=lambda number: number % 256)
    buckets = pa.array([number % 256 for number in numbers], pa.uint8())
    return pa.record_batch({"a": pa.array(numbers, pa.int64()), BUCKET: buckets, PERIOD: [period] * len(numbers)})


def append(vault: Vault, *batches: pa.RecordBatch) -> None:
    with vault.exclusive(), vault.change() as change:
        change.append("things", batches)


def numbers(vault: Vault, **chosen: object) -> list[int]:
    return sorted(vault.batches("things", ["a"], **chosen).read_all().column("a").to_pylist())  # type: ignore[arg-type]


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path, b"k" * 32)


def test_it_comes_back_and_is_not_readable_on_disk(vault: Vault) -> None:
    table = pa.table({"a": [1, None], "b": ["某某公司", "x"]})
    assert vault.write("things", table) == 2
    assert vault.read("things").equals(table)
    assert vault.names() == ["things"]
    files = [path for path in vault.folder.rglob("*") if path.is_file()]
    assert len(files) >= 4  # the table, the list, and the key of each
    for path in files:
        assert "某某公司".encode() not in path.read_bytes()
        assert b"PAR1" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_an_empty_table_has_its_columns(vault: Vault) -> None:
    assert vault.write("things", pa.table({"a": pa.array([], pa.int64())})) == 0
    assert vault.read("things").schema.names == ["a"]


def test_a_process_that_has_read_a_table_ends_as_it_should(vault: Vault) -> None:
    """It aborted two times in three when a pool of threads read the table from Python (apache/arrow#50482)."""
    vault.write("things", pa.table({"a": [1]}))
    read = "Vault(pathlib.Path(sys.argv[1]), b'k' * 32).read('things')"
    code = f"import pathlib, sys; from privacy.vault import Vault; {read}"
    for _ in range(4):
        done = subprocess.run(
            [sys.executable, "-c", code, str(vault.folder)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), which=st.integers(0, 3))
def test_a_flipped_byte_of_any_file_is_broken(
    tmp_path_factory: pytest.TempPathFactory, place: float, flip: int, which: int
) -> None:
    vault = Vault(tmp_path_factory.mktemp("vault"), b"k" * 32)
    vault.write("things", pa.table({"a": list(range(50))}))
    path = sorted(path for path in vault.folder.rglob("*") if path.is_file() and path.stat().st_size)[which]
    raw = bytearray(path.read_bytes())
    at = int(place * len(raw))
    raw[at] ^= flip
    path.write_bytes(raw)
    if path.suffix == ".key" or at < 4:  # some changes mean the same: in JSON, and in the letters that begin Parquet
        with suppress(Broken):
            assert vault.read("things").column("a").to_pylist() == list(range(50))
        return
    with pytest.raises(Broken):
        vault.read("things")


def test_a_file_in_anothers_place_another_key_or_a_lost_file_is_refused(vault: Vault) -> None:
    append(vault, rows("2023", [1]), rows("2024", [2]))
    first, second = sorted((vault.folder / "things").rglob("*.parquet"), key=lambda path: path.parent.name)
    kept = first.read_bytes()
    shutil.copyfile(second, first)
    with pytest.raises(Broken):
        numbers(vault)
    first.unlink()
    with pytest.raises(Missing):
        numbers(vault)
    first.write_bytes(kept)
    assert numbers(vault) == [1, 2]
    with pytest.raises(Broken):
        numbers(Vault(vault.folder, b"x" * 32))
    (vault.folder / "files.list").unlink()
    with pytest.raises(Broken):
        vault.names()


@settings(max_examples=30, deadline=None)
@given(
    deliveries=st.lists(
        st.lists(st.tuples(st.sampled_from(["2023", "2024"]), st.integers(0, 999)), max_size=12), max_size=4
    ),
    buckets=st.tuples(st.integers(0, 256), st.integers(0, 256)).map(sorted),
    replaced=st.sets(st.integers(0, 999)),
)
def test_what_is_appended_and_not_replaced_is_read_by_bucket_and_period(
    tmp_path_factory: pytest.TempPathFactory,
    deliveries: list[list[tuple[str, int]]],
    buckets: list[int],
    replaced: set[int],
) -> None:
    vault, row_group = Vault(tmp_path_factory.mktemp("vault"), b"k" * 32), partition.ROWS
    partition.ROWS = 3  # so that small files have several row groups
    try:
        for delivery in deliveries:
            append(vault, *(rows(p, [n for q, n in delivery if q == p]) for p in ("2023", "2024")))
        every = [each for delivery in deliveries for each in delivery]
        if not every:
            assert vault.names() == []
            return
        places: dict[str, list[int]] = {}
        for row in vault.batches("things", ["a", FILE, POSITION]).read_all().to_pylist():
            places.setdefault(row[FILE], []).extend([row[POSITION]] if row["a"] in replaced else [])
        for half in (0, 1):  # in two steps, as two deliveries would
            with vault.exclusive(), vault.change() as change:
                change.replace("things", {file: np.array(each[half::2], np.int64) for file, each in places.items()})
    finally:
        partition.ROWS = row_group
    valid = [(period, number) for period, number in every if number not in replaced]
    assert numbers(vault) == sorted(number for _, number in valid)
    low, high = buckets
    chosen = sorted(number for period, number in valid if period == "2024" and low <= number % 256 < high)
    assert numbers(vault, buckets=(low, high), periods=["2024"]) == chosen
    assert sum(vault.periods("things").values()) == len(valid)


def test_a_change_that_fails_changes_nothing_and_leaves_no_file(vault: Vault) -> None:
    append(vault, rows("2023", [1]))

    def failing() -> Iterator[pa.RecordBatch]:
        yield rows("2023", [2])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), vault.exclusive(), vault.change() as change:
        change.append("things", failing())
    assert numbers(vault) == [1]
    with vault.exclusive():
        assert len(list((vault.folder / "things").rglob("*.parquet"))) == 1


def test_a_column_that_earlier_files_lack_is_null_there(vault: Vault) -> None:
    append(vault, rows("2023", [1]))
    append(vault, rows("2023", [2]).append_column("b", pa.array(["x"])))
    assert vault.read("things").to_pylist() == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]


def test_names_cannot_leave_the_folder_and_the_first_form_is_refused_in_words(vault: Vault) -> None:
    with pytest.raises(Malformed):
        vault.write("../evil", pa.table({"a": [1]}))
    with pytest.raises(Missing):
        vault.read("nothing")
    (vault.folder / "things.sealed").write_bytes(b"HHVAULT1")
    with pytest.raises(Refused, match="earlier form"), vault.exclusive():
        pass
