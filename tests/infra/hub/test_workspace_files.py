"""What is mounted in a workspace is invented or is rows; a release, which holds records, is refused."""

from __future__ import annotations

import stat
from datetime import date
from pathlib import Path

import pytest

from credit.errors import Refused
from credit.keys import KeyRing, SigningKey
from credit.releases import newest_practice
from credit.seal import Kind
from credit.shelf import Shelf
from infra.hub.workspace_files import practice_files, rows_folder
from tests.models import invented_release


@pytest.fixture
def shelf(tmp_path: Path, ring: KeyRing) -> Shelf:
    return Shelf(tmp_path / "shelf", ring)


@pytest.mark.attack
def test_a_release_is_never_mounted(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    release = invented_release.release(shelf, keys["custody"], subjects=8)
    with pytest.raises(Refused, match="not mounted in a workspace"):
        practice_files(release, ("registration",))
    assert newest_practice(shelf) is None
    assert practice_files(newest_practice(shelf), ("registration",)) == {}, "without practice tables it still starts"


def test_the_granted_practice_tables_alone_are_mounted(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    """A granted table that the practice tables lack, as they are older, keeps no member out of the workspace."""
    practice = invented_release.release(shelf, keys["custody"], subjects=8, kind=Kind.PRACTICE)
    mounted = practice_files(practice, ("registration", "a_newer_table"))
    assert sorted(mounted.values()) == ["manifest.json", "registration"]
    for place in mounted:
        for path in (place, *place.rglob("*")):
            assert path.stat().st_mode & stat.S_IROTH, "a sandbox is another user"


def test_the_newest_practice_tables_that_have_not_ended_are_used(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    practice = invented_release.release(shelf, keys["custody"], subjects=8, kind=Kind.PRACTICE)
    again = invented_release.release(shelf, keys["custody"], subjects=9, kind=Kind.PRACTICE)
    newest = newest_practice(shelf, date(2026, 4, 1))
    assert newest is not None
    assert newest.seal.id == max(practice, again, key=lambda each: (each.seal.made_at, each.seal.id)).seal.id
    assert newest_practice(shelf, practice.seal.expires_on) is None


def test_the_folder_of_rows_is_there_before_the_first_rows(tmp_path: Path) -> None:
    folder = tmp_path / "rows" / "loans"
    assert rows_folder(folder) == {folder: "rows"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
