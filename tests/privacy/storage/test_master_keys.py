"""The master key comes from a file, the environment or a program, and custody ends a rotation when it starts."""

from __future__ import annotations

import base64
import sys
import textwrap
from pathlib import Path

import pyarrow as pa
import pytest

from credit.actor import Actor
from credit.errors import Broken, Malformed, Missing, Refused
from credit.settings import read
from privacy.custody_vault import destroy_period, master_key, open_vault
from privacy.settings import CustodySettings
from privacy.storage.master_key import SecretMasterKey
from privacy.vault import Vault
from tests.privacy.small_custody import CITY, House, register_of

PROGRAM = """
    import base64, json, sys
    sys.path.insert(0, {root!r})
    from privacy.storage.master_key import SecretMasterKey
    key, given = SecretMasterKey(b"p" * 32), json.loads(sys.stdin.readline())
    if sys.argv[1] == "name":
        print(key.name)
    else:
        value, place = base64.b64decode(given["key"]), base64.b64decode(given["place"])
        print(base64.b64encode(getattr(key, sys.argv[1])(value, place)).decode())
"""


def settings_of(house: House, **more: str) -> CustodySettings:
    (house.root / "keys" / "raw.key").write_bytes(b"v" * 32)
    folders = {"RAW": "vault", "SHELF": "shelf", "KEYS": "keys", "RING": "ring", "LEDGER": "ledger.jsonl"}
    env = {f"HAIHE_CUSTODY_{name}": str(house.root / folder) for name, folder in folders.items()}
    return read(
        CustodySettings,
        env | {f"HAIHE_CUSTODY_{name.upper()}": value for name, value in more.items()},
        "HAIHE_CUSTODY_",
    )


def program_in(folder: Path, text: str = PROGRAM) -> str:
    path = folder / "program"
    root = str(Path(__file__).parents[3])
    path.write_text(f"#!{sys.executable}\n" + textwrap.dedent(text).replace("{root!r}", repr(root)), encoding="utf-8")
    path.chmod(0o700)
    return str(path)


def test_custody_starts_with_the_key_of_its_file_and_changes_nothing(house: House) -> None:
    house.bring(registration=register_of(3))
    entries = house.ledger.verify()
    assert open_vault(settings_of(house), house.ledger).read("registration").num_rows == 3
    assert house.ledger.verify() == entries


@pytest.mark.parametrize("place", ["environment", "program"])
def test_a_rotation_into_another_place_is_ended_at_the_next_start(house: House, place: str) -> None:
    house.bring(registration=register_of(3))
    data = {path: path.read_bytes() for path in house.vault.folder.rglob("*.parquet")}
    secret = base64.b64encode(b"e" * 32).decode()
    more = {"master_key": secret} if place == "environment" else {"key_program": program_in(house.root)}
    settings = settings_of(house, **more)
    (house.root / "keys" / "raw.key").rename(house.root / "keys" / "raw-old.key")
    vault = open_vault(settings, house.ledger)
    assert vault.read("registration").num_rows == 3
    assert {path: path.read_bytes() for path in house.vault.folder.rglob("*.parquet")} == data
    assert not (house.root / "keys" / "raw-old.key").exists()
    [entry] = [entry for entry in house.ledger.entries() if entry.verb == "keys.rotated"]
    assert entry.details["keys"] == 2
    assert secret not in repr(settings) + (house.root / "ledger.jsonl").read_text()
    with pytest.raises(Broken):
        house.vault.read("registration")


def test_a_program_that_fails_and_two_keys_are_refused_in_words(house: House) -> None:
    failing = program_in(house.root, "    raise SystemExit(3)")
    with pytest.raises(Broken, match="did not answer"):
        open_vault(settings_of(house, key_program=failing), house.ledger).write("things", pa.table({"a": [1]}))
    with pytest.raises(Malformed):
        master_key(settings_of(house, key_program=failing, master_key="x"))
    with pytest.raises(Malformed):
        master_key(settings_of(house, master_key="too short"))
    assert master_key(settings_of(house)) == SecretMasterKey(b"v" * 32)
    assert Vault(house.root / "vault", b"v" * 32).names() == []


def test_a_period_is_destroyed_by_the_city_with_an_entry_and_by_no_one_else(house: House) -> None:
    house.bring(registration=register_of(3))
    with pytest.raises(Refused):
        destroy_period(house.vault, house.ledger, "registration", "all", by=Actor.parse("researcher:li"))
    with pytest.raises(Missing):
        destroy_period(house.vault, house.ledger, "registration", "1999", by=CITY)
    assert not any(entry.verb == "period.destroyed" for entry in house.ledger.entries())
    assert destroy_period(house.vault, house.ledger, "registration", "all", by=CITY) == 3
    assert house.vault.names() == []
    assert [entry.details["rows"] for entry in house.ledger.entries() if entry.verb == "period.destroyed"] == [3]
