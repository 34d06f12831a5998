"""The release in use has the data of the latest day, also when a release of an older day was made after it."""

from __future__ import annotations

from datetime import date

import pytest

from credit import releases
from credit.actor import Actor, Role
from credit.errors import Broken, Missing
from credit.keys import SigningKey
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from credit.versions import require_version
from infra.home import Home

BY = Actor("li", Role.CITY)


def put(
    shelf: Shelf, keys: dict[str, SigningKey], as_of: str, ends: date, purpose: str = "scoring", n: int = 0
) -> Seal:
    terms = {"purpose": purpose, "as_of": as_of}
    with shelf.staging() as folder:
        (folder / "rows").write_text("rows")
        return shelf.put(folder, Kind.RELEASE, parents=(), terms=terms, expires_on=ends, by=BY, key=keys["custody"])


def test_a_day_made_again_does_not_turn_the_lab_back(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    ends = date(2027, 1, 1)
    november = put(shelf, keys, "2026-11-01", ends)
    october = put(shelf, keys, "2026-10-01", ends)
    put(shelf, keys, "2026-12-01", ends, purpose="research")
    latest = releases.newest_release(shelf, "scoring")
    assert latest is not None
    assert latest.seal.id == november.id != october.id
    assert releases.newest_release(shelf, "inquiry") is None


def test_what_has_ended_is_not_in_use(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    lasting = put(shelf, keys, "2026-10-01", date(2027, 1, 1))
    put(shelf, keys, "2026-11-01", today := date(2026, 12, 1))
    latest = releases.newest_release(shelf, "scoring", today)
    assert latest is not None
    assert latest.seal.id == lasting.id


def test_a_verb_takes_the_same_release_and_digests_its_files(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    home = Home(shelf.root.parent)
    home.keys("ring").mkdir(parents=True)
    for zone, key in keys.items():
        (home.keys("ring") / f"{zone}.pem").write_bytes(key.public_pem())
    with pytest.raises(Missing, match="no release for scoring"):
        releases.require_release(home.shelf, "scoring")
    with pytest.raises(Missing, match="no version of enterprise"):
        require_version(home.shelf, "enterprise")
    newest = put(shelf, keys, "2026-11-01", date(2027, 1, 1))
    older = put(shelf, keys, "2026-10-01", date(2027, 1, 1))
    assert (
        releases.require_release(home.shelf, "scoring").seal.id,
        releases.require_release(home.shelf, "scoring", older.id).seal.id,
    ) == (newest.id, older.id)
    rows = shelf.open(newest.id).path / "rows"
    rows.chmod(0o600)
    rows.write_text("others")
    with pytest.raises(Broken):
        releases.require_release(home.shelf, "scoring")
