"""A subject's pseudonyms under two purposes, or two secrets, cannot be joined; under one they are always the same."""

from __future__ import annotations

import pytest

from credit.errors import Malformed
from credit.subjects import PseudonymKey, SubjectKey

CODE = "91120116MA06XY128A"


@pytest.mark.parametrize("algorithm", ["sha256", "sm3"])
def test_same_purpose_same_pseudonym(algorithm: str) -> None:
    key = PseudonymKey("research", b"r" * 32, algorithm)
    assert key.key_of(CODE) == key.key_of(CODE)
    assert CODE not in key.hex_of(CODE)


def test_purposes_secrets_and_algorithms_part() -> None:
    keys = [
        PseudonymKey("research", b"r" * 32),
        PseudonymKey("scoring", b"r" * 32),  # even with one secret filed under both
        PseudonymKey("research", b"s" * 32),
        PseudonymKey("research", b"r" * 32, "sm3"),
    ]
    assert len({key.hex_of(CODE) for key in keys}) == len(keys)


def test_buckets_are_the_top_bits() -> None:
    key = SubjectKey("ff" + "0" * 30)
    assert [key.bucket(n) for n in (1, 4, 16, 64, 256)] == [0, 3, 15, 63, 255]


def test_a_short_secret_is_no_key() -> None:
    with pytest.raises(Malformed, match="32 bytes"):
        PseudonymKey("research", b"short")


def test_a_secret_is_never_shown() -> None:
    assert "rrrr" not in repr(PseudonymKey("research", b"r" * 32))
