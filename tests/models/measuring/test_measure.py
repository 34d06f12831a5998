"""A version is measured on other rows than its own, once, as its scorer does on them; too near or few is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from credit.canonical import canonical
from credit.errors import Malformed, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.order_requests import MEASUREMENT
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf
from models.dataset.sample import build_sample
from models.distributed.ray_cluster import in_process
from models.measuring.measure import Measuring, measure_version
from models.measuring.request import FILE, MeasurementRequest, order_of_rows
from models.order.order import Order
from models.registry.version import write_version
from models.scoring.scorer import Scorer
from models.training.fit import fit
from tests.models import invented_release as made

TODAY = date(2026, 4, 1)
TRAINING = {"trials": 1, "seed": 3, "minimum_leaf": 30}
SPLIT = {"out_of_time_from": "2025-02-01", "folds": 3}
OTHER_DAYS = {"every_months": 3, "first": "2024-08-01", "last": "2025-08-01"}


class Bench:
    """A shelf with a release and a version that was trained on it."""

    def __init__(self, root: Path, keys: dict[str, SigningKey], ring: KeyRing) -> None:
        self.keys, self.shelf = keys, Shelf(root / "shelf", ring)
        self.ledger = Ledger(root / "ledger.jsonl", keys["compute"], ring)
        self.release = made.release(self.shelf, keys["custody"], subjects=400)
        self.trained = self.order()
        self.version = self._version()

    def order(self, **changes: Any) -> OpenedSeal:
        return made.order(self.shelf, self.keys["research"], self.release, training=TRAINING, **changes)

    def _version(self) -> OpenedSeal:
        order = Order.parse(made.declaration(training=TRAINING))
        sample = build_sample(order, self.release)
        names = {"order": self.trained.seal.id, "release": self.release.seal.id}
        content = fit(order.as_json(), sample, in_process(), **names)
        with self.shelf.staging() as folder:
            shown = {"text": content.text, "scorecard": content.scorecard, "evidence": content.evidence}
            write_version(folder, sql=order.sql, features=sample.features, leaves=content.leaves, **shown)
            seal = self.shelf.put(
                folder, Kind.VERSION, parents=(self.trained.seal.id,), terms={"release": self.release.seal.id},
                expires_on=date(2027, 1, 1), by=made.RESEARCHER, key=self.keys["compute"],
            )  # fmt: skip
        return self.shelf.open(seal.id)

    def measure(self, rows: OpenedSeal, ledger: Ledger | None = None) -> dict[str, Any]:
        request = MeasurementRequest(self.version.seal.id, rows.seal.id)
        with self.shelf.staging() as folder:
            (folder / FILE).write_bytes(canonical(request.as_json()))
            requested = self.shelf.put(
                folder, Kind.ORDER, parents=(self.release.seal.id,), terms={"project": "loans"},
                expires_on=date(2027, 1, 1), by=made.RESEARCHER, key=self.keys["research"],
            )  # fmt: skip
        ledger = ledger or self.ledger
        measuring = Measuring(self.shelf, ledger, made.answered(ledger), in_process())
        named: dict[str, Any] = {"project": "loans", "by": made.RESEARCHER, "today": TODAY}
        return measure_version(
            measuring, self.shelf.open(requested.id), request, progress=lambda step, done, total: None, **named
        )


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, keys: dict[str, SigningKey], ring: KeyRing) -> Bench:
    return Bench(tmp_path_factory.mktemp("measuring"), keys, ring)


def test_the_figures_are_those_of_the_version_on_the_rows_out_of_time(bench: Bench) -> None:
    rows = bench.order(observe=OTHER_DAYS, split=SPLIT)
    measured = bench.measure(rows)
    sample = build_sample(Order.parse(made.declaration(observe=OTHER_DAYS, split=SPLIT)), bench.release)
    late = sample.as_of >= np.datetime64("2025-02-01")
    raw = Scorer.load(bench.version.path).raw(sample.features[late])
    assert measured["version"] == bench.version.seal.id
    assert measured["evidence"]["rows"] == int(late.sum()) > 300
    assert measured["evidence"]["auc"] == pytest.approx(roc_auc_score(sample.labels[late], raw), abs=1e-5)
    assert "trained" not in measured["evidence"]
    seen = float(
        np.mean(sample.as_of[late] < np.datetime64("2025-04-01"))
    )  # the version's own rows out of time begin then
    assert 0 < measured["on_training_days"] == pytest.approx(seen, abs=0.006)
    entries = [entry for entry in bench.ledger.entries() if entry.verb == MEASUREMENT.made]
    assert bench.measure(rows) == measured
    assert [entry for entry in bench.ledger.entries() if entry.verb == MEASUREMENT.made] == entries, "measured once"


def test_no_subject_is_in_what_returns(bench: Bench) -> None:
    measured = str(bench.measure(bench.order(observe=OTHER_DAYS)))
    sample = build_sample(Order.parse(made.declaration(observe=OTHER_DAYS)), bench.release)
    assert not [subject for subject in set(sample.subjects) if subject in measured]


def test_rows_that_differ_in_a_few_subjects_are_answered_for_the_earlier_label_or_refused(
    bench: Bench, tmp_path: Path, ring: KeyRing
) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl", bench.keys["compute"], ring)
    label = made.declaration()["label"]
    first = bench.measure(bench.order(), ledger)
    near = label | {"when": "overdue_days >= 90 AND reported_on <> DATE '2024-07-01'"}
    second = bench.measure(bench.order(label=near), ledger)
    assert second["evidence"].pop("answered_for")["label"]["when"] == label["when"]
    assert second["evidence"] == first["evidence"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"split": {"out_of_time_from": None, "folds": 3}}, "no days out of time"),
        ({"label": {"table": "loan_performance", "when": "overdue_days >= 100000", "window_months": 6}}, "outcome"),
    ],
)
def test_rows_that_bear_no_figure_are_refused(bench: Bench, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        bench.measure(bench.order(**changes))


def test_the_features_are_the_versions_and_the_rows_those_of_the_other_order() -> None:
    own = Order.parse(made.declaration(title="own"))
    other = made.declaration(observe=OTHER_DAYS, sql="SELECT subject, 1 AS one FROM registration", title="other")
    other["features"] = [{"name": "one", "title": "one", "direction": 0, "reason": {"zh": "one", "en": "one"}}]
    both = order_of_rows(own, Order.parse(other))
    assert (both.sql, both.names, both.title) == (own.sql, own.names, "own")
    assert both.observe == Order.parse(other).observe


@pytest.mark.parametrize(
    "data", [{}, {"version": "v"}, {"version": "v", "order": 1}, {"version": "v", "order": "o", "x": 1}]
)
def test_a_request_that_cannot_be_read_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        MeasurementRequest.parse(data)
