"""A home is invented when its first entry says so and all that it took in is of a drawn city; nothing else does."""

from __future__ import annotations

import pytest

from credit.errors import Refused
from infra.desk.invented_home import BEGUN, INSTALLATION, InventedHome, begin, record_city
from tests.infra.desk.conftest import CITY, Ledgers


def is_invented(ledgers: Ledgers) -> bool:
    return InventedHome.of(ledgers.front, ledgers.custody).is_invented()


def test_a_home_that_began_as_invented_is_so_while_it_takes_in_drawn_cities_alone(ledgers: Ledgers) -> None:
    """The marker and the digests of drawn files decide; one other file ends it for good."""
    begin(ledgers.front, invented=True)
    begin(ledgers.front, invented=True)
    record_city(ledgers.front, {"a.csv": "1" * 64, "b.csv": "2" * 64})
    home = InventedHome.of(ledgers.front, ledgers.custody)
    assert home.is_invented()
    ledgers.brings_in("1" * 64, "2" * 64)
    assert home.is_invented()
    ledgers.brings_in("1" * 64, "3" * 64)
    assert not home.is_invented()
    record_city(ledgers.front, {"c.csv": "3" * 64})
    assert not home.is_invented()


def test_a_real_home_cannot_be_marked_later(ledgers: Ledgers) -> None:
    """A ledger that began with anything else stays real, also when the marker is written into it afterwards."""
    begin(ledgers.front, invented=False)
    with pytest.raises(Refused, match="cannot be marked"):
        begin(ledgers.front, invented=True)
    ledgers.front.append(BEGUN, "home", by=INSTALLATION, details={"invented": True})
    assert not is_invented(ledgers)


def test_a_home_whose_ledger_began_with_something_else_is_real(ledgers: Ledgers) -> None:
    """The marker has to be the first entry: an account made before it makes the home real."""
    assert not is_invented(ledgers)
    ledgers.front.append("account.installed", "user-petra", by=INSTALLATION)
    with pytest.raises(Refused):
        begin(ledgers.front, invented=True)
    assert not is_invented(ledgers)


@pytest.mark.parametrize("details", [{}, {"files": {}}, {"files": None}, {"files": ["1" * 64]}])
def test_an_intake_that_does_not_name_its_files_is_not_invented(ledgers: Ledgers, details: dict[str, object]) -> None:
    """Absence is not innocence: an intake without digests may have been anything."""
    begin(ledgers.front, invented=True)
    record_city(ledgers.front, {"a.csv": "1" * 64})
    ledgers.custody.append("intake.accepted", "intake-x", by=CITY, details=details)
    assert not is_invented(ledgers)


def test_a_release_of_real_records_ends_it(ledgers: Ledgers) -> None:
    """A release that does not say that it is invented is of real records."""
    begin(ledgers.front, invented=True)
    ledgers.custody.append("release.made", "release-x", by=CITY, details={"invented": True})
    assert is_invented(ledgers)
    ledgers.custody.append("release.made", "release-y", by=CITY, details={"purpose": "research"})
    assert not is_invented(ledgers)


def test_the_repair_of_a_record_brings_nothing_in(ledgers: Ledgers) -> None:
    """Custody writes the file of a repair itself: it names a record that is there, and the home stays invented."""
    begin(ledgers.front, invented=True)
    details = {"files": {"credit_repair_by_hand.parquet": "4" * 64}, "of_repair": True}
    ledgers.custody.append("intake.accepted", "intake-x", by=CITY, details=details)
    assert is_invented(ledgers)
