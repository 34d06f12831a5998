"""The author of an order gets at most a limited number of bits into the copy of its model, whatever it chooses."""

from __future__ import annotations

import pytest

from lab.airlock.thresholds import load
from tests.lab.airlock.kinds.models.model_attacks import MODELS

pytestmark = pytest.mark.attack


@pytest.mark.parametrize("name", MODELS)
def test_an_order_carries_few_bits_into_a_copy(name: str) -> None:
    assert MODELS[name]() <= load()["model_bits_at_most"]
