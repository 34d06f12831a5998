"""The report needs nothing from outside and holds every picture; the summary has the form that others read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.demo import report
from infra.demo.journey import Journey, Step
from models.validation import svg_charts

EVIDENCE: dict[str, Any] = {
    "rows": 200, "positives": 12, "judged_by": "out of time", "auc": 0.78, "auc_low": 0.74, "auc_high": 0.82,
    "ks": 0.43, "brier": 0.04, "stability_index": 0.01, "roc": [[0.0, 0.0], [0.2, 0.6], [1.0, 1.0]],
    "calibration": {"ece": 0.01, "ece_noise": 0.005, "bins": [
        {"rows": 100, "predicted": 0.02, "observed": 0.0}, {"rows": 100, "predicted": 0.1, "observed": 0.12}]},
    "grades": {"A": {"rows": 50}, "B": {"rows": 140}, "D": {"rows": 10}},
}  # fmt: skip
ANSWER: dict[str, Any] = {
    "score_id": "01a2", "points": 700.5, "grade": "B-", "default_probability": 0.03, "base_points": 710.0,
    "reasons": [{"zh": "<b>行政处罚</b>", "en": "penalties", "points": -9.5}], "rules": [],
    "version": "version-1", "snapshot": {"id": "snapshot-1", "as_of": "2026-11-01"},
}  # fmt: skip


@pytest.fixture
def journey() -> Journey:
    verdict = {"outcome": "pass", "findings": [{"check": "leak", "outcome": "pass", "why": "none"}]}
    model = {"title": "企业", "order": "order-1", "version": "version-1", "release": "release-1", "evidence": EVIDENCE}
    walked = Journey(invented=True, catalogue="city 55", releases=["release-1"], peak_mib=2048.4)
    walked.intake = {"rows": 10, "kept": 8, "quarantined": 1, "duplicates": 1}
    walked.models = {
        "enterprise": {**model, "verdict": verdict, "snapshot": "snapshot-1", "shares": {"A": 0.2, "B": 0.8}}
    }
    walked.scores = [{"title": "a good firm", "answer": ANSWER, "before": {**ANSWER, "points": 690.0}}]
    walked.steps = [Step("train", 12.3, 2048.4)]
    return walked


def test_the_page_needs_nothing_from_outside(journey: Journey, tmp_path: Path) -> None:
    report.write(tmp_path / "report.html", journey)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert not re.search(r"<script|<link|src=|url\(|@import", page)
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "<b>行政处罚</b>" not in page, "what a declaration says is text, never markup"
    assert "invented" in page


def test_the_summary_has_the_form_that_others_read(journey: Journey, tmp_path: Path) -> None:
    journey.write(tmp_path / "summary.json")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert {"version", "release", "rows", "positives", "auc", "auc_low", "auc_high", "ks", "brier"} <= set(
        summary["models"]["enterprise"]
    )
    assert (summary["seconds"], summary["peak_rss_mib"], summary["data"]) == ({"train": 12.3}, 2048, "invented city")
    assert summary["scores"][0]["points"] == 700.5


@pytest.mark.parametrize(("share", "rows"), [(0.0, 20), (1.0, 20), (0.5, 1), (0.03, 5000)])
def test_the_interval_of_a_share_holds_it_and_stays_a_share(share: float, rows: int) -> None:
    low, high = svg_charts.wilson(share, rows)
    assert 0 <= low <= share <= high <= 1
    assert (
        high - low
        < svg_charts.wilson(share, max(1, rows // 4))[1] - svg_charts.wilson(share, max(1, rows // 4))[0] + 1e-9
    )
