"""Rounding goes up or down by a fixed key: the same units and contributions always give the same value."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.tables.cells.rounding import KeyedRounding, fingerprint

ROUNDING = KeyedRounding(b"k" * 32, 5, 3)
UNITS = np.arange(20, dtype=np.uint64)


@given(st.integers(1, 10**9), st.binary(min_size=1))
def test_a_count_is_a_multiple_of_the_base_nearby(count: int, provenance: bytes) -> None:
    rounded = ROUNDING.rounded(float(count), provenance, is_count=True)
    assert rounded % 5 == 0
    assert abs(rounded - count) < 5
    assert ROUNDING.rounded(float(count), provenance, is_count=True) == rounded


@given(st.floats(1e-6, 1e12), st.booleans(), st.binary(min_size=1))
def test_a_value_keeps_three_digits(value: float, negative: bool, provenance: bytes) -> None:
    signed = -value if negative else value
    rounded = ROUNDING.rounded(signed, provenance, is_count=False)
    assert abs(rounded - signed) <= abs(signed) * 0.0101
    assert len(f"{abs(rounded):.9e}".partition("e")[0].rstrip("0").replace(".", "")) <= 4


def test_it_depends_on_the_units_and_on_the_key_and_on_no_name() -> None:
    values = np.linspace(1, 2, 20)
    prints = {fingerprint("sum 0.5", UNITS, values), fingerprint("sum 0.5", UNITS[:-1], values[:-1])}
    assert len(prints) == 2
    assert fingerprint("sum 0.5", UNITS, values) == fingerprint("sum 0.5", UNITS, values * (1 + 1e-12))
    other = KeyedRounding(b"o" * 32, 5, 3)
    marks = [bytes([mark]) for mark in range(64)]
    assert [ROUNDING.rounded(7, each, is_count=True) for each in marks] != [
        other.rounded(7, each, is_count=True) for each in marks
    ]
    mean = np.mean([ROUNDING.rounded(7, each, is_count=True) for each in marks])
    assert 6 < mean < 8, "up and down in proportion"
