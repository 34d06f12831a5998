"""A sample has the subjects active on a day, what was known by then, and the outcome; all figures worked by hand."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from credit.errors import Malformed, Refused
from credit.keys import SigningKey
from credit.shelf import OpenedSeal, Shelf
from models.dataset.folds import fold_of, folds_by_period
from models.dataset.sample import Sample, build_sample
from models.features.feature_sql import written_order
from models.order.sealed_order import read_sealed_order
from tests.models import world
from tests.models.world import firm, loan, penalty, subject

A, B, C, D = (subject(number) for number in range(4))
Made = Callable[..., OpenedSeal]


@pytest.fixture
def made(shelf: Shelf, keys: dict[str, SigningKey]) -> Made:
    return lambda rows, **more: world.release(shelf, keys["custody"], rows, **more)


def labels_of(sample: Sample) -> dict[tuple[str, str], int]:
    """Subject and day to label."""
    days = [str(day) for day in sample.as_of]
    return {(who, day): int(label) for who, day, label in zip(sample.subjects, days, sample.labels, strict=True)}


def test_a_label_is_whether_the_condition_was_met_in_the_window(made: Made) -> None:
    rows = {
        "registration": [firm(A), firm(B), firm(C)],
        "loan": [
            loan(A, date(2025, 1, 1), 0),  # the first day of the window of 2025-01-01
            loan(A, date(2025, 6, 30), 95),  # its last day, and within that of 2025-04-01
            loan(A, date(2025, 7, 1), 0),  # after it
            loan(B, date(2025, 5, 1), 30),
            loan(B, date(2025, 8, 1), None),  # says nothing
        ],
    }
    assert labels_of(build_sample(world.order(), made(rows))) == {
        (A, "2025-01-01"): 1, (A, "2025-04-01"): 1, (A, "2025-07-01"): 0,
        (B, "2025-01-01"): 0, (B, "2025-04-01"): 0,
    }  # fmt: skip


def test_a_window_must_have_ended_before_the_release(made: Made) -> None:
    rows = {"registration": [firm(A)], "loan": [loan(A, date(2025, month, 5), 0) for month in range(1, 13)]}
    release = made(rows, as_of=date(2025, 12, 31))
    assert [day for _, day in labels_of(build_sample(world.order(), release))] == ["2025-01-01", "2025-04-01"]
    settling = {"table": "loan", "when": "overdue_days >= 90", "window_months": 6, "settle_days": 100}
    assert [day for _, day in labels_of(build_sample(world.order(label=settling), release))] == ["2025-01-01"]
    with pytest.raises(Refused, match="No observation day has a known outcome"):
        build_sample(world.order(), made(rows, as_of=date(2025, 6, 30)))


def test_only_subjects_of_the_kind_that_live_on_the_day(made: Made) -> None:
    rows = {
        "registration": [
            firm(A, ended_on=date(2025, 4, 1), status="注销"),
            firm(B, kind="individual_business"),
            firm(C, registered=date(2025, 2, 1)),
            firm(D, status="注销"),  # its end is withheld; it has an outcome, so it lived
        ],
        "loan": [loan(who, date(2025, 5, 1), 0) for who in (A, B, C, D, subject(9))],
    }
    assert set(labels_of(build_sample(world.order(), made(rows)))) == {
        (A, "2025-01-01"), (C, "2025-04-01"), (D, "2025-01-01"), (D, "2025-04-01"),
    }  # fmt: skip


def test_who_has_defaulted_already_is_not_observed(made: Made) -> None:
    rows = {
        "registration": [firm(A), firm(B)],
        "loan": [
            loan(A, date(2024, 12, 1), 95), loan(A, date(2025, 2, 1), 95),
            loan(B, date(2024, 12, 1), 95, date(2025, 1, 10)), loan(B, date(2025, 2, 1), 95),
        ],
    }  # fmt: skip
    clear = {"table": "loan", "when": "overdue_days >= 90", "window_months": 6, "clear_months": 3}
    assert labels_of(build_sample(world.order(label=clear), made(rows))) == {(B, "2025-01-01"): 1}  # not yet known of B


def test_at_events_each_day_with_a_row_is_observed_and_its_own_row_unseen(made: Made) -> None:
    changes: dict[str, Any] = {
        "label": {"table": "loan", "when": "overdue_days >= 90"},
        "population": None,
        "subject_kind": None,
        "tables": ["penalty", "loan"],
        "sql": world.SQL.replace("LEFT JOIN registration r USING (subject)", "").replace(
            "date_diff('year', r.registered_on, o.as_of)", "year(o.as_of)"
        ),
    }
    rows = {
        "loan": [loan(A, date(2025, 3, 1), 0), loan(A, date(2025, 3, 1), 90), loan(A, date(2025, 6, 1), 0)],
        "penalty": [penalty(A, date(2025, 2, 28)), penalty(A, date(2025, 3, 1))],
    }
    for days_before, first in ((0, "2025-03-01"), (1, "2025-02-28")):
        sample = build_sample(world.order(observe={"event": "loan", "days_before": days_before}, **changes), made(rows))
        assert next(iter(labels_of(sample).items())) == ((A, first), 1)
        assert len(sample) == 2
        column = dict(zip(sample.names, sample.features.T, strict=True))
        np.testing.assert_array_equal(column["reports"], [np.nan, 2])
        np.testing.assert_array_equal(column["penalties"], [1 - days_before, 2])


def test_out_of_time_nothing_is_learnt_from_what_was_not_yet_known(made: Made) -> None:
    loans = [loan(who, date(2025, month, 5), 0) for who in (A, B) for month in range(1, 13)]
    release = made({"registration": [firm(A), firm(B)], "loan": loans})
    sample = build_sample(world.order(split={"out_of_time_from": "2025-10-01", "folds": 3}), release)
    days = {str(day): bool(late) for day, late in zip(sample.as_of, sample.out_of_time, strict=True)}
    assert days == {"2025-01-01": False, "2025-04-01": False, "2025-10-01": True}  # July's window reaches past October
    with pytest.raises(Refused, match="lies from 2027-01-01"):
        build_sample(world.order(split={"out_of_time_from": "2027-01-01", "folds": 3}), release)


def test_a_subject_is_in_one_fold_everywhere(made: Made) -> None:
    who = [f"{n * 41 % 256:02x}{n * 2654435761 % 2**120:030x}" for n in range(60)]
    rows = {"registration": [firm(w) for w in who], "loan": [loan(w, date(2025, 5, 1), 0) for w in who]}
    sample = build_sample(world.order(), made(rows, buckets=4))
    assert sample.subjects == sorted(sample.subjects)
    assert all(fold == fold_of(subject, 3) for subject, fold in zip(sample.subjects, sample.fold, strict=True))
    assert len(set(sample.fold)) == 3
    assert sample.features.dtype == np.float64
    assert sample.labels.dtype == np.int8
    assert sample.as_of.dtype == np.dtype("datetime64[D]")


def test_folds_by_period_are_stretches_of_time() -> None:
    """A day is in one fold, a later day in no earlier one, and rows out of time move no border."""
    days = np.repeat(np.arange("2023-01", "2023-11", dtype="datetime64[M]"), 7).astype("datetime64[D]")
    late = days >= np.datetime64("2023-09-01")
    fold = folds_by_period(days, late, 4)
    assert (np.diff(fold) >= 0).all()
    assert [int((fold[~late] == k).sum()) for k in range(4)] == [14, 14, 14, 14]
    assert all(len(np.unique(fold[days == day])) == 1 for day in np.unique(days))
    assert set(folds_by_period(days[:14], late[:14], 5)) == {0, 1}, "two days are two folds"


def test_the_task_of_a_bucket_can_be_sent_anywhere(made: Made) -> None:
    rows = {"registration": [firm(A)], "loan": [loan(A, date(2025, 5, 1), 0)]}
    seen = []

    def send(task: Any, buckets: list[int]) -> list[Any]:
        seen.extend(buckets)
        return [pickle.loads(pickle.dumps(task))(bucket) for bucket in buckets]

    assert len(build_sample(world.order(), made(rows, buckets=4), map_buckets=send)) == 2
    assert seen == [0, 1, 2, 3]
    steps: list[tuple[int, int]] = []
    build_sample(world.order(), made(rows, buckets=4), progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_nothing_to_observe_and_the_wrong_release_are_refused(made: Made) -> None:
    with pytest.raises(Refused, match="no subject to observe"):
        build_sample(world.order(), made({"registration": [firm(A)]}))
    with pytest.raises(Refused, match=r"for another purpose.*was made for scoring"):
        build_sample(world.order(), made({"registration": [firm(A)]}, purpose="scoring"))
    with pytest.raises(Malformed, match="not granted"):
        build_sample(world.order(tables=["registration", "loan"]), made({"registration": [firm(A)]}))


def test_a_sealed_order_is_read_back(shelf: Shelf, keys: dict[str, SigningKey], tmp_path: Any, ring: Any) -> None:
    from credit.ledger import Ledger
    from lab.order_placement import place_order

    release = world.release(shelf, keys["custody"], {"registration": [firm(A)]})
    ledger = Ledger(tmp_path / "ledger.jsonl", keys["research"], ring)
    given: dict[str, Any] = {"release": release, "shelf": shelf, "key": keys["research"], "by": world.ALICE}
    seal = place_order(world.order(), ledger=ledger, today=world.AS_OF, **given)
    written = written_order(world.order(), release.seal.terms)
    assert read_sealed_order(shelf.open(seal.id)) == written
