"""The master key wraps the keys of data, its rotation touches no data, and a destroyed key leaves nothing readable."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.errors import Broken, Malformed, Missing
from privacy.storage.change import PERIOD
from privacy.storage.data_keys import DataKeys
from privacy.storage.master_key import SecretMasterKey
from privacy.vault import BUCKET, Vault

OLD, NEW = SecretMasterKey(b"o" * 32), SecretMasterKey(b"n" * 32)
PERIODS = {"2015": 7, "2016": 8}


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A vault with one row in each of two periods."""
    vault = Vault(tmp_path / "vault", OLD)
    with vault.exclusive(), vault.change() as change:
        for period, number in PERIODS.items():
            bucket = pa.array([0], pa.uint8())
            change.append("things", [pa.record_batch({"a": [number], BUCKET: bucket, PERIOD: [period]})])
    return vault


def data_files(vault: Vault) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in vault.folder.rglob("*.parquet")}


@given(key=st.binary(min_size=32, max_size=32), place=st.binary(max_size=40), other=st.binary(max_size=40))
def test_a_wrapped_key_opens_at_its_place_under_its_master_key_alone(key: bytes, place: bytes, other: bytes) -> None:
    wrapped = OLD.wrap(key, place)
    assert OLD.unwrap(wrapped, place) == key
    assert key not in wrapped
    with pytest.raises(Broken):
        NEW.unwrap(wrapped, place)
    with pytest.raises(Broken):
        OLD.unwrap(wrapped, other + b"." + place)
    with pytest.raises(Broken):
        OLD.unwrap(wrapped[:-1] + bytes([wrapped[-1] ^ 1]), place)


def test_a_master_key_has_a_name_that_discloses_nothing_and_32_bytes() -> None:
    assert OLD.name != NEW.name
    assert "o" * 8 not in repr(OLD)
    with pytest.raises(Malformed):
        SecretMasterKey(b"short")


def test_rotation_wraps_keys_again_and_touches_no_data(vault: Vault) -> None:
    before = data_files(vault)
    assert vault.rewrap(NEW) == 3  # one of each period, and one of the list of files
    assert data_files(vault) == before
    assert sorted(Vault(vault.folder, NEW).read("things").column("a").to_pylist()) == [7, 8]
    with pytest.raises(Broken):
        vault.read("things")
    assert vault.rewrap(NEW) == 0


def test_a_rotation_that_was_stopped_is_ended_by_running_it_again(vault: Vault) -> None:
    copied = vault.folder / "keys" / "things" / "2015.key"
    with_old = copied.read_bytes()
    vault.rewrap(NEW)
    copied.write_bytes(with_old)  # as if this key had not been reached
    with pytest.raises(Broken):
        Vault(vault.folder, NEW).read("things")
    assert vault.rewrap(NEW) == 1
    assert sorted(Vault(vault.folder, NEW).read("things").column("a").to_pylist()) == [7, 8]


def test_data_of_a_destroyed_key_are_recovered_neither_from_a_copy_of_the_files_nor_by_the_master_key(
    vault: Vault, tmp_path: Path
) -> None:
    stolen = tmp_path / "stolen"
    shutil.copytree(vault.folder, stolen, ignore=shutil.ignore_patterns("*.key"))
    assert vault.destroy("things", "2015") == 1
    assert vault.read("things").column("a").to_pylist() == [8]
    assert not list((vault.folder / "things" / "2015").glob("*"))
    shutil.copytree(
        vault.folder / "keys", stolen / "keys", dirs_exist_ok=True
    )  # all keys that exist now, beside all data that ever did
    copy = Vault(stolen, OLD)
    with pytest.raises(Missing):
        copy.read("things")
    [lost] = [file for file in copy.files().of("things") if file.period == "2015"]
    with pytest.raises(Broken):
        list(lost.batches(stolen, copy.keys.key("things", "2016"), ["a"]))
    with pytest.raises(Missing):
        vault.destroy("things", "2015")


def test_a_destroyed_key_is_not_made_again_by_reading(tmp_path: Path) -> None:
    keys = DataKeys(tmp_path, OLD)
    keys.key_or_new("things", "2015")
    keys.destroy("things", "2015", 3)
    keys.destroy("things", "2015", 3)
    with pytest.raises(Missing):
        keys.key("things", "2015")
    assert not keys.exists("things")
