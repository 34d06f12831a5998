"""Honest results that a program makes: notebooks as the lab's own, curves, bands with signs, tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from math import exp

from tests.lab.airlock.kinds.texts.text_seeds import cell, notebook

FEATURES = """%%features late --as-of 2026-10-01
SELECT subject,
       count(*) FILTER (WHERE decided_on >= as_of - INTERVAL 12 MONTH) AS penalties_12m,
       max(fine) AS fine_largest_36m
FROM administrative_penalty
GROUP BY subject
"""
PRINTED = """     penalties_12m  fine_largest_36m
0                2            3000.0
1                0               NaN
"""
INTRODUCTION = "# A feature of penalties\n\nWe look at the help first, then at the feature on practice tables."
TRAINING = "%time run = lab.train(lab.order(sql=late, title='Late penalties'))\nrun.summary()"
NAMES = [
    "penalties_12m", "tax_level", "judgments_24m", "firm_age_years", "log_sales_12m", "loan_overdue_6m",
    "registered_capital", "utility_arrears_3m", "social_insurance_gap", "invoices_growth_12m", "licences_36m",
    "contracts_24m",
]  # fmt: skip
BANDS = ["below -1", "-1 to 0", "-0.5 to 0.5", "0 to 1", "+1 to +2", "above 2"]
DISTRICTS = [  # in their usual order, which is no alphabet's
    "和平区", "河东区", "河西区", "南开区", "河北区", "红桥区", "东丽区", "西青区", "津南区", "北辰区", "武清区",
    "宝坻区", "滨海新区", "宁河区", "静海区", "蓟州区",
]  # fmt: skip


def made_results() -> Iterator[tuple[str, bytes]]:
    """The name and the content of each."""
    yield (
        "features.ipynb",
        notebook(
            cell("markdown", INTRODUCTION),
            cell("code", "import lab\nlab.sql?"),
            cell("code", "?lab.features\nlab.train??"),
            cell("code", FEATURES, outputs=[{"output_type": "stream", "name": "stdout", "text": PRINTED}]),
            cell("code", TRAINING),
        ),
    )
    steps = [n / 100 for n in range(101)]
    yield "roc.csv", _csv("fpr,tpr", ((f"{x:.3f}", f"{x**0.35:.3f}") for x in steps))
    curve = ((f"{1 - x:.2f}", f"{x**2:.3f}", f"{1 - (1 - x) ** 3:.3f}") for x in steps)
    yield "roc_thresholds.csv", _csv("threshold,false_positive_rate,true_positive_rate", curve)
    gains = ((f"{n / 20:.2f}", f"{1 - (1 - n / 20) ** 2.4:.3f}") for n in range(21))
    yield "gains.csv", _csv("share_of_firms,share_of_defaults", gains)
    bands = ((band, 1200 + 55 * n, f"{0.08 - 0.01 * n:.2f}") for n, band in enumerate(BANDS))
    yield "change.csv", _csv("change,firms,default_rate", bands)
    yield "calibration.json", json.dumps([_decile(n) for n in range(10)]).encode()
    gain = ((name, f"{0.31 / (n + 1):.4f}", 480 - 35 * n) for n, name in enumerate(NAMES))
    yield "importance.csv", _csv("feature,gain_share,splits", gain)
    rates = ((name, 400 + 35 * (n * 7 % 16), f"{3.2 + 0.3 * (n * 5 % 9):.1f}%") for n, name in enumerate(DISTRICTS))
    yield "by_district.csv", _csv("区县,户数,违约率", rates)


def _csv(header: str, rows: Iterable[tuple[object, ...]]) -> bytes:
    return "".join(f"{line}\n" for line in (header, *(",".join(map(str, row)) for row in rows))).encode()


def _decile(n: int) -> dict[str, float]:
    observed, predicted = 0.0104 * exp(0.29 * n), 0.01 * exp(0.3 * n)
    return {"decile": n + 1, "n": 1350 + 5 * n, "predicted": round(predicted, 4), "observed": round(observed, 4)}
