"""The thresholds of monitoring as data."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import yaml

HERE = Path(__file__).with_name("thresholds.yaml")


@dataclass(frozen=True, slots=True)
class MonitoringThresholds:
    """Indices and shares are plain numbers, rows are subjects, run lengths are months; the file explains each."""

    score_index_tolerated: float
    feature_index_tolerated: float
    missing_share_tolerated: float
    false_month_share: float
    distribution_rows_at_least: float
    auc_fall: float
    auc_run_length_months: float
    auc_positives_at_least: float
    calibration_run_length_months: float
    calibration_expected_at_least: float
    factor_months_at_least: float
    factor_assumed: float
    months_to_see_at_most: float


@lru_cache(maxsize=1)
def monitoring_thresholds() -> MonitoringThresholds:
    """The shipped thresholds. A missing or unknown name raises :class:`TypeError`: there is no default."""
    data = yaml.safe_load(HERE.read_text(encoding="utf-8"))
    assert set(data) == {field.name for field in fields(MonitoringThresholds)}, HERE.name
    return MonitoringThresholds(**{name: float(value) for name, value in data.items()})
