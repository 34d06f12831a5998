"""Every group has k members or more who look the same in every open column; the same points give the same groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from credit.errors import Refused
from models.rows.partition.columns import Column, missing_in
from models.rows.partition.group_values import group_values
from models.rows.partition.mdav import mdav
from models.rows.partition.mondrian import mondrian
from models.rows.partition.ranks import mid_ranks, weighted_ranks
from models.rows.partition.weights import column_weights, split_gains

Partitioner = Callable[[NDArray[np.float64], int], NDArray[np.int64]]
WAYS = pytest.mark.parametrize("partition", [mondrian, mdav])
NUMBERS = st.one_of(st.just(float("nan")), st.integers(0, 4).map(float), st.floats(-1e6, 1e6))
TEXTS = st.sampled_from([None, "A", "B", "丙", ""])


@st.composite
def tables(draw: st.DrawFn, least: int = 2) -> list[Column]:
    """One to four columns of the same length: numbers with few distinct values, amounts, texts, missing values."""
    count = draw(st.integers(least, 60))
    columns: list[Column] = []
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            columns.append(np.array(draw(st.lists(NUMBERS, min_size=count, max_size=count)), dtype=np.float64))
        else:
            values = np.empty(count, dtype=np.object_)
            values[:] = draw(st.lists(TEXTS, min_size=count, max_size=count))
            columns.append(values)
    return columns


def same(one: Any, other: Any) -> bool:
    """Equal, or both missing."""
    return bool(one == other) or (one != one and other != other)


@WAYS
@given(columns=tables(least=8), k=st.integers(2, 8))
def test_every_group_has_k_members_who_look_the_same_in_every_column(
    partition: Partitioner, columns: list[Column], k: int
) -> None:
    points = weighted_ranks(columns, np.linspace(1.0, 0.1, len(columns)))
    groups = partition(points, k)
    shown = [group_values(column, groups) for column in columns]
    assert np.bincount(groups).min() >= k
    for group in range(int(groups.max()) + 1):
        members = np.flatnonzero(groups == group)
        assert all(same(column[place], column[members[0]]) for column in shown for place in members)


@WAYS
@given(columns=tables(least=8), k=st.integers(2, 8))
def test_the_same_points_give_the_same_groups(partition: Partitioner, columns: list[Column], k: int) -> None:
    points = weighted_ranks(columns, np.ones(len(columns)))
    assert np.array_equal(partition(points, k), partition(points.copy(), k))


@given(columns=tables(least=8), k=st.integers(2, 8))
def test_mondrian_leaves_no_group_that_a_column_could_halve(columns: list[Column], k: int) -> None:
    points = weighted_ranks(columns, np.ones(len(columns)))
    groups = mondrian(points, k)
    for group in range(int(groups.max()) + 1):
        members = points[groups == group]
        for values in members.T:
            below = [int((values <= border).sum()) for border in np.unique(values)[:-1]]
            assert not any(k <= count <= len(values) - k for count in below)


@WAYS
@given(k=st.integers(2, 9), data=st.data())
def test_fewer_than_k_are_refused(partition: Partitioner, k: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, k - 1))
    with pytest.raises(Refused) as refused:
        partition(np.zeros((count, 2)), k)
    assert str(k) in refused.value.why


@given(columns=tables())
def test_ranks_keep_the_order_and_put_missing_values_below_all(columns: list[Column]) -> None:
    for column in columns:
        ranks, missing = mid_ranks(column), missing_in(column)
        assert ((ranks > 0) & (ranks <= 1)).all()
        if missing.any() and not missing.all():
            assert ranks[missing].max() < ranks[~missing].min()
        known = np.flatnonzero(~missing)
        for one in known[:10]:
            for other in known[:10]:
                assert (column[one] < column[other]) == (ranks[one] < ranks[other])


@given(columns=tables(), data=st.data())
def test_a_group_shows_the_mean_or_the_most_frequent_text_and_nothing_where_most_have_none(
    columns: list[Column], data: st.DataObject
) -> None:
    count = len(columns[0])
    groups = np.array(data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)), dtype=np.int64)
    groups = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    for column in columns:
        shown, missing = group_values(column, groups), missing_in(column)
        for group in range(int(groups.max()) + 1):
            here = groups == group
            value, known = shown[here][0], column[here & ~missing]
            if missing[here].sum() * 2 > here.sum() or not len(known):
                assert value is None or value != value
            elif column.dtype == np.object_:
                assert list(known).count(value) == max(list(known).count(each) for each in known)
            else:
                assert value == pytest.approx(float(np.mean(known)), rel=1e-8, abs=1e-6)


def test_weights_are_the_gains_of_a_model_text_or_all_the_same() -> None:
    text = "feature_names=a b c\nsplit_feature=0 1\nsplit_gain=3 1\nsplit_feature=0\nsplit_gain=4\n"
    gains = split_gains(text)
    assert gains == {"a": 0.875, "b": 0.125}
    heavy, light, unused = column_weights(["a", "b", "c"], gains)
    assert heavy > light > unused > 0
    assert column_weights(["a", "b"], {}).tolist() == [1.0, 1.0]
    assert split_gains("tree\n") == {}
