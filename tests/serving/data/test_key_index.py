"""The index gives the row of a subject key, whatever the other keys are, and no row for a key that it does not hold."""

from __future__ import annotations

import bisect

from hypothesis import given
from hypothesis import strategies as st

from models.scoring.snapshot_layout import KEY_BYTES
from serving.data.key_index import KeyIndex

CLOSE = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES) | st.lists(
    st.sampled_from([b"\0", b"\1", b"\xff"]), min_size=KEY_BYTES, max_size=KEY_BYTES
).map(b"".join)  # with many that overlap, and share their first bytes


@given(st.sets(CLOSE, max_size=60), CLOSE)
def test_a_row_is_the_position_of_its_sorted_key(keys: set[bytes], other: bytes) -> None:
    order = sorted(keys)
    rows = KeyIndex(b"".join(order))
    assert len(rows) == len(order)
    assert [rows.row_of(key) for key in order] == list(range(len(order)))
    position = bisect.bisect_left(order, other)
    assert rows.row_of(other) == (position if other in keys else None)
