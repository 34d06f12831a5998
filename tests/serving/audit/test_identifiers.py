"""Identifiers are UUIDs of version 7: no two alike, in the order of time, and every bit of chance is one."""

from __future__ import annotations

import time
from uuid import RFC_4122, UUID

from serving.audit.identifiers import _format_random, score_id


def test_ids_are_of_version_7_and_of_this_moment() -> None:
    before = time.time_ns() // 1_000_000
    names = [score_id() for _ in range(2_000)]
    after = time.time_ns() // 1_000_000
    identifiers = [UUID(name) for name in names]
    assert len(set(identifiers)) == len(identifiers)
    assert {(one.version, one.variant) for one in identifiers} == {(7, RFC_4122)}
    assert [str(one) for one in identifiers] == names
    moments = [one.int >> 80 for one in identifiers]
    assert before <= moments[0] <= moments[-1] <= after
    assert moments == sorted(moments)


def test_74_bits_are_of_chance() -> None:
    zero, seen = int(_format_random(bytes(10)).replace("-", ""), 16), 0
    for bit in range(80):
        changed = int(_format_random((1 << bit).to_bytes(10, "big")).replace("-", ""), 16) ^ zero
        assert changed & seen == 0  # no bit is used twice
        seen |= changed
    assert seen.bit_count() == 74
