"""A raw table is read as it was written.

With a changed byte, a lost chunk, another key or another name it is refused.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.errors import Broken, Malformed, Missing
from privacy import vault as vaults
from privacy.vault import Vault


def test_it_comes_back_and_is_not_readable_on_disk(tmp_path: Path) -> None:
    vault = Vault(tmp_path, b"k" * 32)
    table = pa.table({"a": [1, None], "b": ["某某公司", "x"]})
    assert vault.write("things", table) == 2
    assert vault.read("things").equals(table)
    assert vault.names() == ["things"]
    raw = (tmp_path / "things.sealed").read_bytes()
    assert "某某公司".encode() not in raw
    assert b"PAR1" not in raw
    assert (tmp_path / "things.sealed").stat().st_mode & 0o077 == 0


def test_a_process_that_has_read_a_table_ends_as_it_should(tmp_path: Path) -> None:
    """It aborted two times in three when a pool of threads read the table from Python (apache/arrow#50482)."""
    Vault(tmp_path, b"k" * 32).write("things", pa.table({"a": [1]}))
    read = "Vault(pathlib.Path(sys.argv[1]), b'k' * 32).read('things')"
    code = f"import pathlib, sys; from privacy.vault import Vault; {read}"
    for _ in range(4):
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_flipped_byte_is_broken(tmp_path_factory: pytest.TempPathFactory, place: float, flip: int) -> None:
    vault = Vault(tmp_path_factory.mktemp("vault"), b"k" * 32)
    vault.write("things", pa.table({"a": list(range(50))}))
    path = vault.folder / "things.sealed"
    raw = bytearray(path.read_bytes())
    raw[int(place * len(raw))] ^= flip
    path.write_bytes(raw)
    with pytest.raises(Broken):
        vault.read("things")


def test_a_lost_chunk_another_key_or_name_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vaults, "CHUNK", 100)
    vault = Vault(tmp_path, b"k" * 32)
    vault.write("things", pa.table({"a": list(range(500))}))
    path = tmp_path / "things.sealed"
    with pytest.raises(Broken):
        Vault(tmp_path, b"x" * 32).read("things")
    (tmp_path / "others.sealed").write_bytes(path.read_bytes())
    with pytest.raises(Broken):
        vault.read("others")
    path.write_bytes(path.read_bytes()[: 16 + 4 + 116])
    with pytest.raises(Broken):
        vault.read("things")


def test_names_cannot_leave_the_folder(tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        Vault(tmp_path, b"k" * 32).write("../evil", pa.table({"a": [1]}))
    with pytest.raises(Missing):
        Vault(tmp_path, b"k" * 32).read("nothing")
