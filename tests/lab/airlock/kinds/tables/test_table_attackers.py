"""Attackers on tables hide bits in the bytes of a file whose cells stay the same: none of these leaves."""

from __future__ import annotations

import pytest

from tests.lab.airlock.kinds.tables.table_attackers import ATTACKERS
from tests.lab.airlock.smuggling import through_the_gate, unseen_bits

pytestmark = pytest.mark.attack


@pytest.mark.parametrize("name", ATTACKERS)
def test_equal_pages_leave_as_equal_files(name: str) -> None:
    assert unseen_bits(through_the_gate(ATTACKERS[name], 6)) == 0
