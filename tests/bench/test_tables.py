"""The benchmark's splits keep subjects whole and days in order, and its page says what its results file says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.quality import ours, page
from bench.quality.ours import NAME
from bench.quality.pictures import draw
from bench.quality.sources import tables
from bench.quality.tables import Table, data, folds, without_twins

ROOT = Path(__file__).parents[2]


@given(st.lists(st.tuples(st.integers(0, 15), st.booleans()), min_size=12, max_size=80), st.integers(2, 6))
def test_a_subject_is_in_one_fold(rows: list[tuple[int, bool]], parts: int) -> None:
    subjects = np.array([str(subject) for subject, _ in rows])
    fold = folds(np.array([bad for _, bad in rows]), subjects, 7, parts)
    for subject in np.unique(subjects):
        assert len(np.unique(fold[subjects == subject])) == 1
    assert set(fold) <= set(range(parts))


def test_folds_share_out_the_bad_rows() -> None:
    labels = np.array([1] * 25 + [0] * 100)
    fold = folds(labels, np.arange(125).astype(str), 7)
    assert [int(labels[fold == k].sum()) for k in range(5)] == [5] * 5


def test_rows_that_are_alike_are_one() -> None:
    features = np.array([[1, np.nan], [2, 0], [1, np.nan], [2, 0], [2, 1]], dtype=float)
    kept, labels = without_twins(features, np.array([0, 1, 0, 0, 1]))
    assert np.array_equal(kept, features[[0, 1, 4]], equal_nan=True)
    assert labels.tolist() == [0, 1, 1]


@pytest.mark.parametrize("name", list(tables()))
def test_what_is_read_of_real_tables(name: str) -> None:
    """Finite, both outcomes on either side of each split, days in order, no subject on both sides of a fold."""
    if not data().is_dir():
        pytest.skip(f"no real tables in {data()}: set HAIHE_REAL_DATA")
    table: Table = tables()[name]()
    assert table.features.shape == (len(table.labels), len(table.names))
    assert not np.isinf(table.features).any()
    for train, test in table.splits():
        for side in (train, test):
            assert set(table.labels[side]) == {0, 1}
        assert not set(train) & set(test)
        if table.days is not None and table.border:
            assert table.days[train].max() < np.datetime64(table.border) <= table.days[test].min()
        else:
            assert not set(table.subjects[train]) & set(table.subjects[test])


def test_the_page_shows_the_results() -> None:
    results = json.loads((ROOT / page.RESULTS).read_text(encoding="utf-8"))
    text = (ROOT / page.PAGE).read_text(encoding="utf-8")
    assert page.with_block(text, page.block(results)) == text, "run make bench-quality, and commit what it writes"
    for table in results["tables"]:
        assert f"{table['ways'][NAME]['auc']:.3f}" in text


def test_the_pictures_are_those_of_the_results(tmp_path: Path) -> None:
    results = json.loads((ROOT / page.RESULTS).read_text(encoding="utf-8"))
    draw(results, tmp_path)
    for picture in sorted(tmp_path.iterdir()):
        kept = (ROOT / page.PICTURES / picture.name).read_text(encoding="utf-8")
        assert picture.read_text(encoding="utf-8") == kept, f"{picture.name} is of other results"


def test_every_part_that_a_result_depends_on_is_there() -> None:
    settings = ours.settings_of()
    assert len(settings["code"]) == 64
    assert settings["version"]
