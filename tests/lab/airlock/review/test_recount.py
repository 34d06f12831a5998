"""The airlock looks up what compute counted by the text of a version, and finds nothing for any other text."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from credit.actor import Actor, Role
from credit.keys import SigningKey
from credit.seal import Kind
from credit.shelf import Shelf
from lab.airlock.review.sealing import recount_check

TODAY = date(2026, 4, 1)
TEXT = b"tree\nversion=v4\n"


def put(shelf: Shelf, key: SigningKey, terms: dict[str, Any], text: bytes = TEXT, days: int = 10) -> None:
    with shelf.staging() as folder:
        (folder / "model.txt").write_bytes(text)
        shelf.put(
            folder, Kind.VERSION, parents=(), terms={"model": "m", **terms}, expires_on=TODAY + timedelta(days=days),
            by=Actor("alice", Role.RESEARCHER), key=key,
        )  # fmt: skip


def test_a_text_leads_to_the_count_of_its_version(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    put(shelf, keys["compute"], {"smallest_leaf": 31})
    recounted = recount_check(shelf, TODAY)
    assert recounted(TEXT) == 31
    assert recounted(TEXT + b" ") is None
    assert recount_check(shelf, TODAY + timedelta(days=11))(TEXT) is None, "the version has ended"


def test_a_version_without_a_count_is_none(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    put(shelf, keys["compute"], {})
    assert recount_check(shelf, TODAY)(TEXT) is None
