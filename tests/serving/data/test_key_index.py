"""A subject's row is found by its key, whatever the other keys are; and what is not there is not found."""

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
def test_a_row_is_where_the_sorted_key_stands(keys: set[bytes], other: bytes) -> None:
    order = sorted(keys)
    rows = KeyIndex(b"".join(order))
    assert len(rows) == len(order)
    assert [rows.row_of(key) for key in order] == list(range(len(order)))
    place = bisect.bisect_left(order, other)
    assert rows.row_of(other) == (place if other in keys else None)
