"""Ordinary tables of a credit laboratory, with invented numbers: what researchers save at the end of a day."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import numpy as np
from pandas import DataFrame

INDUSTRIES = [
    "批发和零售业",
    "制造业",
    "住宿和餐饮业",
    "交通运输、仓储和邮政业",
    "建筑业",
    "租赁和商务服务业",
    "农、林、牧、渔业",
    "其他",
]
DISTRICTS = ["和平区", "河东区", "河西区", "南开区", "河北区", "红桥区", "滨海新区", "东丽区", "西青区", "津南区"]
GRADES = ["A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D"]
FEATURES = ["penalties_12m", "tax_level", "sales_12m", "firm_age_years", "judgments_24m", "loan_overdue_6m"]


def _counts(random: np.random.Generator, size: int, high: int = 2000) -> np.ndarray:
    return random.integers(20, high // 5, size) * 5


def by_group(random: np.random.Generator, name: str, groups: list[str]) -> DataFrame:
    """Firms and their default rate by group."""
    firms = _counts(random, len(groups))
    rate = random.uniform(0.04, 0.12, len(groups)).round(3)
    return DataFrame({name: groups, "firms": firms, "default_rate": rate})


def calibration_bins(random: np.random.Generator) -> DataFrame:
    """Predicted and observed rates in ten bins of equal size."""
    predicted = np.sort(random.uniform(0.005, 0.3, 10)).round(4)
    observed = (predicted * random.uniform(0.85, 1.15, 10)).round(4)
    return DataFrame({"bin": range(1, 11), "predicted": predicted, "observed": observed, "n": [1350] * 10})


def comparison(random: np.random.Generator) -> DataFrame:
    """Models with the AUC and its interval."""
    auc = random.uniform(0.72, 0.81, 5).round(3)
    models = ["logistic regression", "scorecard", "LightGBM", "LightGBM monotone", "champion"]
    return DataFrame({"model": models, "auc": auc, "low": (auc - 0.012).round(3), "high": (auc + 0.011).round(3),
                         "ks": (auc * 0.55).round(3)})  # fmt: skip


def importance(random: np.random.Generator) -> DataFrame:
    """The share of each feature in the gain."""
    share = random.dirichlet(np.ones(len(FEATURES)) * 3).round(3)
    return DataFrame({"feature": FEATURES, "gain_share": share, "splits": random.integers(20, 200, len(FEATURES))})


def by_quarter(random: np.random.Generator) -> DataFrame:
    """Default rates over eight quarters."""
    quarters = [f"{year}Q{quarter}" for year in (2024, 2025) for quarter in range(1, 5)]
    return DataFrame({"quarter": quarters, "firms": _counts(random, 8, 9000),
                         "default_rate": random.uniform(0.06, 0.09, 8).round(4)})  # fmt: skip


def cross_table(random: np.random.Generator) -> DataFrame:
    """Firms by grade and size."""
    sizes = ["微型", "小型", "中型"]
    counts = _counts(random, len(GRADES) * len(sizes), 900).reshape(len(GRADES), len(sizes))
    return DataFrame({"grade": GRADES, **dict(zip(sizes, counts.T, strict=True))})


def correlations(random: np.random.Generator) -> DataFrame:
    """Rank correlations between features."""
    values = np.asarray(np.corrcoef(random.normal(size=(len(FEATURES), 40)))).round(2).reshape(len(FEATURES), -1)
    return DataFrame(values, columns=FEATURES).assign(feature=FEATURES)[["feature", *FEATURES]]


def coefficients(random: np.random.Generator) -> DataFrame:
    """A logistic regression's coefficients."""
    value, error = random.normal(0, 0.6, len(FEATURES)).round(3), random.uniform(0.02, 0.2, len(FEATURES)).round(3)
    return DataFrame({"term": FEATURES, "coefficient": value, "std_error": error, "z": (value / error).round(2)})


def stability(random: np.random.Generator) -> DataFrame:
    """The stability index of features by half-year."""
    return DataFrame({"feature": FEATURES, "2025H1": random.uniform(0, 0.1, len(FEATURES)).round(3),
                         "2025H2": random.uniform(0, 0.2, len(FEATURES)).round(3)})  # fmt: skip


def _csv(make: Callable[[np.random.Generator], DataFrame], random: np.random.Generator) -> bytes:
    return make(random).to_csv(index=False).encode()


def _json(make: Callable[[np.random.Generator], DataFrame], random: np.random.Generator) -> bytes:
    return make(random).to_json(orient="records", force_ascii=False).encode()


def _parquet(make: Callable[[np.random.Generator], DataFrame], random: np.random.Generator) -> bytes:
    sink = io.BytesIO()
    make(random).to_parquet(sink, index=False)
    return sink.getvalue()


TABLES: dict[str, Callable[[np.random.Generator], bytes]] = {
    "by_industry.csv": partial(_csv, partial(by_group, name="industry", groups=INDUSTRIES)),
    "各区违约率.csv": partial(_csv, partial(by_group, name="district", groups=DISTRICTS)),
    "by_grade.json": partial(_json, partial(by_group, name="grade", groups=GRADES)),
    "by_industry.parquet": partial(_parquet, partial(by_group, name="industry", groups=INDUSTRIES)),
    "calibration.csv": partial(_csv, calibration_bins),
    "comparison.csv": partial(_csv, comparison),
    "importance.csv": partial(_csv, importance),
    "by_quarter.csv": partial(_csv, by_quarter),
    "grade_by_size.csv": partial(_csv, cross_table),
    "correlations.csv": partial(_csv, correlations),
    "coefficients.csv": partial(_csv, coefficients),
    "stability.csv": partial(_csv, stability),
}
"""Files by name, each made from a generator."""
