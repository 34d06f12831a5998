"""Among many stored keys, those of a delivery are found: never one less, and of others none that differs early."""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from privacy.storage.key_set import IDENTITY, KeySet, by_file

KEYS = st.lists(st.binary(min_size=16, max_size=16), max_size=40)


@given(KEYS, KEYS, st.booleans())
def test_every_key_of_the_set_is_seen_and_others_only_where_their_first_half_is_equal(
    wanted: list[bytes], stored: list[bytes], fixed: bool
) -> None:
    """Whatever the keys are, and in either form in which files have them, a slice of a batch included."""
    kind = IDENTITY if fixed else pa.binary()
    column = pa.array([b"-" * 16, *stored, *wanted], kind).slice(1)
    mask = KeySet([pa.array(wanted, kind)]).mask(column)
    halves = {key[:8] for key in wanted}
    assert mask.tolist() == [key[:8] in halves for key in [*stored, *wanted]]


def test_a_hundred_thousand_random_keys_are_separated_from_others() -> None:
    """Keys as a digest gives them: the table of bits leaves some others, and the first half of a key none."""
    keys = [os.urandom(16) for _ in range(100_000)]
    mask = KeySet([pa.array(keys[:50_000], IDENTITY), pa.array(keys[50_000:60_000])]).mask(pa.array(keys, IDENTITY))
    assert mask[:60_000].all()
    assert not mask[60_000:].any()


def test_places_are_sorted_by_file() -> None:
    """In whatever order a query gives them."""
    places = by_file(pa.table({"file": ["b", "a", "b"], "at": pa.array([5, 1, 2], pa.int64())}))
    assert {file: each.tolist() for file, each in places.items()} == {"a": [1], "b": [2, 5]}
    assert all(each.dtype == np.int64 for each in places.values())
