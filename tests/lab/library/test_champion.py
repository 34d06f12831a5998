"""A run shows the champion on its rows as compute measured it, or says why there is none; both, and what is measured on
other rows, can be compared."""

from __future__ import annotations

from typing import Any

import pytest

from credit.errors import Malformed, Missing, Refused
from credit.requests.failure import messages_of
from lab.library import measuring
from lab.library.comparison import compare
from lab.library.promotion import ModelChampion
from lab.library.training import Run
from models.order.order import Order
from tests.models import invented_release

EVIDENCE: dict[str, Any] = {
    "rows": 400, "positives": 60, "judged_by": "out of time", "auc": 0.7, "auc_low": 0.65, "auc_high": 0.75, "ks": 0.3,
    "brier": 0.1, "stability_index": 0.02, "calibration": {"ece": 0.01, "ece_noise": 0.01, "bins": [
        {"predicted": 0.1, "observed": 0.1, "rows": 200}, {"predicted": 0.2, "observed": 0.2, "rows": 200}]},
    "roc": [[0.0, 0.0], [0.4, 0.7], [1.0, 1.0]],
    "points": {"edges": [300.0, 600.0, 900.0], "grades": {"A": [0, 200], "B": [200, 0]}},
}  # fmt: skip


def run(champion: dict[str, Any]) -> Run:
    data = {"id": "order-1", "model": "enterprise", "state": "done", "version": "version-1", "release": "release-1"}
    return Run(data | {"evidence": EVIDENCE, "champion": champion})


def test_the_champion_is_one_of_what_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    gain = {"auc": 0.01, "low": -0.005, "high": 0.02}
    trained = run({"version": "version-0", "evidence": EVIDENCE | {"auc": 0.69}, "gain": gain})
    monkeypatch.setattr(Run, "refresh", lambda self: self)
    compared = compare(trained, trained.champion)
    assert list(compared.to_pandas()["version"]) == ["version-1", "version-0"]
    assert list(compared.to_pandas()["auc"]) == [0.7, 0.69]
    assert "enterprise champion" in repr(compared)
    assert compared.png().startswith(b"\x89PNG")
    assert "gain of the run +0.010 (-0.005 to +0.020)" in repr(trained.champion)


def test_a_run_is_compared_with_the_champion_that_was_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After another promotion it is refused, and alone it has no rows."""
    trained = run({"version": "version-0", "evidence": EVIDENCE, "gain": {"auc": 0.01, "low": -0.005, "high": 0.02}})
    monkeypatch.setattr(Run, "refresh", lambda self: self)
    shown = {"model": "enterprise", "title": "t", "features": ["a"], "made_at": "2026-11-01T00:00:00+00:00"}
    champion = ModelChampion(shown | {"version": "version-0"})
    assert list(compare(trained, champion).to_pandas()["version"]) == ["version-1", "version-0"]
    assert champion.on_rows_of(trained).gain["auc"] == 0.01
    with pytest.raises(Refused, match="Another version is in production"):
        compare(trained, ModelChampion(shown | {"version": "version-2"}))
    with pytest.raises(Malformed, match="no run is named"):
        compare(champion)


def test_a_run_without_one_is_refused_in_words() -> None:
    with pytest.raises(Missing, match="No champion stands beside the run order-1"):
        _ = run({}).champion
    with pytest.raises(Refused, match="could not be measured"):
        _ = run({"version": "version-0", "error": messages_of(Refused("champion.not-compared"))}).champion


def test_a_measurement_is_one_of_what_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = {"version": "version-1", "release": "release-1", "evidence": EVIDENCE, "on_training_days": 0.25}
    monkeypatch.setattr(Run, "refresh", lambda self: self)
    wanted_of: list[dict[str, Any]] = []
    monkeypatch.setattr(
        measuring,
        "made_of_order",
        lambda path, wanted: wanted_of.append(wanted) or {"id": "order-2", "measured": measured},
    )
    order = Order.parse(invented_release.declaration())
    elsewhere = measuring.measure(trained := run({}), order)
    assert wanted_of == [{"run": "order-1", "order": order.as_json(), "release": ""}]
    assert "25% of the rows are of days it was trained on" in repr(elsewhere)
    assert list(compare(trained, elsewhere).to_pandas()["model"]) == ["enterprise", "enterprise elsewhere"]
