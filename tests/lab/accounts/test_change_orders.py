"""An account that judges is made by two people, in every order of requests, confirmations and removals."""

from __future__ import annotations

import pytest

from tests.lab.accounts.change_orders import differences

pytestmark = pytest.mark.attack


def test_every_order_of_moves_agrees_with_the_plain_model() -> None:
    """By everyone and in every role, with the requester and the confirmer removed between."""
    assert [difference for _, difference in differences(2) if difference] == []
