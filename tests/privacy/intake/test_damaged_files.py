"""No row of a damaged file is lost: it is stored, held already, or in quarantine."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.intake.damaged_files import damaged_file
from bench.intake.rows_unaccounted import code_of, unaccounted


def test_no_row_of_hundreds_of_damaged_files_is_lost(tmp_path: Path) -> None:
    source = random.Random(2026)
    files = [damaged_file(source, number, code_of) for number in range(240)]
    assert sum(len(file.marks) for file in files) > 600
    assert unaccounted(files, tmp_path / "home") == (0, [])


@pytest.mark.attack
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_no_row_is_lost_whatever_is_damaged(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    source = random.Random(seed)
    files = [damaged_file(source, number, code_of) for number in range(12)]
    assert unaccounted(files, tmp_path_factory.mktemp("damaged") / "home") == (0, [])


def test_a_lost_row_would_be_noticed(tmp_path: Path) -> None:
    """The count is of marks in the bytes: a mark in a file of which the intake knows nothing counts."""
    file = damaged_file(random.Random(3), 1, code_of)
    more = type(file)(file.name, file.content, file.marks | {"R9999999"}, file.is_binary)
    assert unaccounted([more], tmp_path / "home")[0] == 1
