"""Files are read into memory, so their number is bounded before the first byte of one is read."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from credit.actor import Actor
from serving.core.request import RequestContext
from serving.endpoints.batch_jobs.upload_places import MOST, MOST_OF_BANK, UploadPlaces
from serving.errors import Overloaded


def test_a_bank_has_its_places_and_all_banks_together_have_theirs_and_each_is_free_again() -> None:
    places, calls = UploadPlaces(), [RequestContext(by=Actor.parse(f"bank:b{number}")) for number in range(3)]
    for _ in range(2):
        with ExitStack() as stack:
            for call in calls[:2]:
                for _ in range(MOST_OF_BANK):
                    stack.enter_context(places.reserve(call))
                with pytest.raises(Overloaded):
                    stack.enter_context(places.reserve(call))
            assert 2 * MOST_OF_BANK == MOST
            with pytest.raises(Overloaded):
                stack.enter_context(places.reserve(calls[2]))
    with pytest.raises(ZeroDivisionError), places.reserve(calls[2]):
        raise ZeroDivisionError
    with places.reserve(calls[2]):
        pass
