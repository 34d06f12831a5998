"""Ordinary notebooks: words, code, printed tables of pandas, figures, and the metadata that Jupyter writes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from pandas import DataFrame

from bench.airlock.honest_pictures import PICTURES
from bench.airlock.honest_tables import by_quarter, calibration_bins, coefficients, comparison, importance

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"codemirror_mode": {"name": "ipython", "version": 3}, "name": "python", "version": "3.11.2"},
}


def _notebook(*cells: dict[str, Any]) -> bytes:
    numbered = [{**cell, "id": f"{0xA1B2C3 + 7919 * n:08x}"} for n, cell in enumerate(cells)]
    return json.dumps({"cells": numbered, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}).encode()


def _words(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(True)}


def _code(source: str, *outputs: dict[str, Any], count: int = 1) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": count, "metadata": {}, "source": source.splitlines(True),
            "outputs": list(outputs)}  # fmt: skip


def _frame(frame: DataFrame, count: int = 1) -> dict[str, Any]:
    data = {"text/plain": str(frame).splitlines(True), "text/html": frame.to_html().splitlines(True)}
    return {"output_type": "execute_result", "execution_count": count, "data": data, "metadata": {}}


def _picture(content: bytes) -> dict[str, Any]:
    data = {
        "image/png": base64.b64encode(content).decode() + "\n",
        "text/plain": ["<Figure size 640x480 with 1 Axes>"],
    }
    return {"output_type": "display_data", "data": data, "metadata": {}}


def _printed(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text.splitlines(True)}


def _exploring(random: np.random.Generator) -> bytes:
    rows = DataFrame(random.gamma(2, 3, (5000, 3)), columns=["penalties_12m", "firm_age_years", "sales_12m"])
    described = rows.describe().loc[["mean", "std", "25%", "50%", "75%"]].round(3)
    return _notebook(
        _words("# Exploring the rows\n\nWhat the features look like before we train."),
        _code("import lab\nimport pandas as pd\n\ndf = lab.rows('training').to_pandas()\ndf.describe().round(3)",
              _frame(described)),
        _code("df.isna().mean().sort_values(ascending=False).head(3).round(3)",
              _printed("sales_12m         0.062\ntax_level         0.041\nloan_overdue_6m   0.012\ndtype: float64\n")),
        _words("Sales are missing for firms that issue no invoices. We keep the missing values as they are."),
    )  # fmt: skip


def _comparing(random: np.random.Generator) -> bytes:
    return _notebook(
        _words("# Champion and challenger\n\n- the same rows\n- the same split\n\nThe intervals are from a bootstrap."),
        _code("runs = lab.runs().done()\ncompared = lab.compare(*runs[:5])\ncompared.to_pandas().round(3)",
              _frame(comparison(random))),
        _code("importance.head(6)", _frame(importance(random)), count=2),
        _code("import matplotlib.pyplot as plt\n\nplt.plot(fpr, tpr)\nplt.xlabel('false positives');",
              _picture(PICTURES["roc.png"](random)), count=3),
    )  # fmt: skip


def _chinese(random: np.random.Generator) -> bytes:
    return _notebook(
        _words("# 校准检验\n\n按预测概率等频分为十组，比较预测违约率与实际违约率。组内样本数相同。"),
        _code("bins = calibration_table(df, bins=10)\nbins", _frame(calibration_bins(random))),
        _code("print(f'ECE = {ece:.4f}, 斜率 = {slope:.2f}')", _printed("ECE = 0.0042, 斜率 = 1.02\n")),
        _words("## 结论\n\n各组偏差均在两个标准误以内，无需重新校准。下一步按行业分组检验。"),
    )  # fmt: skip


def _regression(random: np.random.Generator) -> bytes:
    return _notebook(
        _words("# Logistic regression as a benchmark"),
        _code("from sklearn.linear_model import LogisticRegression\n\n"
              "model = LogisticRegression(C=0.1, max_iter=1000)\n"
              "model.fit(X_train, y_train)\nprint(round(roc_auc_score(y_test, model.predict_proba(X_test)[:, 1]), 4))",
              _printed("0.7614\n")),
        _code("table", _frame(coefficients(random)), count=2),
        _words("The signs agree with what we expected: penalties raise the risk, tax grades lower it ($p < 0.01$)."),
    )  # fmt: skip


def _series(random: np.random.Generator) -> bytes:
    return _notebook(
        _words("# 违约率的季度变化"),
        _code("quarters = df.groupby('quarter').agg(firms=('subject', 'nunique'), default_rate=('defaulted', 'mean'))\n"
              "quarters.round(4)", _frame(by_quarter(random))),
        _code("quarters['default_rate'].plot(marker='o')", _picture(PICTURES["lines.png"](random)), count=2),
    )  # fmt: skip


NOTEBOOKS: dict[str, Callable[[np.random.Generator], bytes]] = {
    "01_exploring.ipynb": _exploring,
    "02_comparing.ipynb": _comparing,
    "03_校准检验.ipynb": _chinese,
    "04_regression.ipynb": _regression,
    "05_quarters.ipynb": _series,
}
"""Files by name, each made from a generator."""
