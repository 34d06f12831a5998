"""A notice suppresses its subjects in all data made before it, and only custody can sign one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.errors import Broken, Malformed
from credit.keys import SigningKey
from credit.shelf import Shelf
from credit.suppression import Notice, pointer_of, suppress

DAY = date(2026, 11, 1)
WHO, OTHER = "0" * 32, "f" * 32


def suppress_named(
    shelf: Shelf, keys: dict[str, SigningKey], *who: str, purpose: str = "scoring", zone: str = "custody"
) -> Notice:
    return suppress(shelf, purpose, who, today=DAY, forget_before=DAY - timedelta(days=60), key=keys[zone])


def test_it_suppresses_data_made_before_it(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    assert Notice.read(shelf, "scoring") == Notice("scoring")
    suppress_named(shelf, keys, WHO)
    notice = suppress_named(shelf, keys, OTHER)
    assert Notice.read(shelf, "scoring") == notice
    assert [notice.suppresses(WHO, through) for through in (0, 1, 2)] == [True, False, False]
    assert [notice.suppresses(OTHER, through) for through in (0, 1, 2)] == [True, True, False]
    assert not notice.suppresses("a" * 32, 0)
    assert suppress_named(shelf, keys, WHO).suppresses(WHO, 2), "a second repair of a subject is a notice of its own"
    assert Notice.read(shelf, "inquiry").number == 0


@given(days=st.lists(st.integers(0, 5), max_size=8), offset=st.integers(-1, 6))
def test_a_covered_number_includes_every_notice_up_to_the_day(days: list[int], offset: int) -> None:
    named = {f"{n:032x}": (n + 1, DAY + timedelta(days=day)) for n, day in enumerate(days)}
    notice, on = Notice("scoring", len(days), named), DAY + timedelta(days=offset)
    through = notice.covered_number(on)
    assert 0 <= through <= len(days)
    assert all(day <= on for number, day in named.values() if number <= through)
    assert through == len(days) or any(number == through + 1 and day > on for number, day in named.values())


@pytest.mark.attack
def test_another_zone_s_notice_a_copied_and_a_changed_one_are_broken(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    suppress_named(shelf, keys, WHO, purpose="inquiry")
    path = shelf.root / "pointers"
    (path / "withheld-scoring.json").write_bytes((path / "withheld-inquiry.json").read_bytes())
    with pytest.raises(Broken, match="another"):
        Notice.read(shelf, "scoring")
    for zone in ("platform", "compute", "service", "research"):
        shelf.set_pointer(pointer_of(f"x{zone}"), {"subjects": {}}, keys[zone])
        with pytest.raises(Broken, match="not signed"):
            Notice.read(shelf, f"x{zone}")
    text = (path / "withheld-inquiry.json").read_text()
    (path / "withheld-inquiry.json").write_text(text.replace(text[30], "A" if text[30] != "A" else "B", 1))
    with pytest.raises(Broken):
        Notice.read(shelf, "inquiry")


def test_only_keys_of_subjects_are_named(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    with pytest.raises(Malformed, match="subject key"):
        suppress_named(shelf, keys, "91120000MA00000000")
    shelf.set_pointer(pointer_of("scoring"), {"subjects": {WHO: "tomorrow"}}, keys["custody"])
    with pytest.raises(Broken, match="cannot be read"):
        Notice.read(shelf, "scoring")
