"""Ordinary texts, code and notebooks from which tests start, and strategies that spell them otherwise."""

from __future__ import annotations

import json

from hypothesis import strategies as st

REPORT = """# Arrears of small firms

We compare the registered version with a new one on the quarter after training. The AUC rises from 0.741 to 0.752,
and the calibration error falls by a third.

## Method

- features over twelve months
    - penalties and judgments
    - tax grades
- a model with fewer leaves

1. fit
2. calibrate
3. compare

| industry | n | share |
|---|---|---|
| retail | 120 | 0.3 |
| food | 85 | 0.2 |
| logistics | 240 | 0.1 |

> The result holds for individual businesses too.
"""
CHINESE = """# 小微企业逾期分析

本文比较两个模型版本，样本为天津市的企业。新版本的 AUC 由 0.741 升到 0.752，校准误差下降三分之一。

- 特征：处罚、判决与纳税等级
- 方法：单调约束的提升树

结论：在各行业上排序能力都有提高，稳定性没有变差。
"""
CODE = '''import pandas as pd
# read the rows

def shares(rows, by="industry"):
    """Shares of defaulted rows by group."""
    grouped = rows.groupby(by)["defaulted"]
    if grouped.ngroups < 2:   # nothing to compare
        return None
    else:
        return grouped.agg(["mean", "count"]).round(3)

print(shares(lab.rows("training")))
'''
QUERY = """-- firms by industry
WITH r AS (SELECT subject, industry FROM registration WHERE registered_on < as_of)
SELECT industry, count(*) AS n, round(avg(fine), 1) AS mean_fine
FROM r LEFT JOIN administrative_penalty p USING (subject)
GROUP BY industry HAVING count(*) >= 10 ORDER BY n DESC;
"""


def cell(kind: str, source: str, **more: object) -> dict[str, object]:
    """A cell as Jupyter saves it."""
    code = {"execution_count": 3, "outputs": []} if kind == "code" else {}
    return {
        "cell_type": kind,
        "id": "ab12",
        "metadata": {"tags": []},
        "source": source.splitlines(True),
        **code,
        **more,
    }


def notebook(*cells: dict[str, object]) -> bytes:
    """A notebook as Jupyter saves it."""
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


PRINTED = "   industry    n\n0    retail  120\n1      food   85\n2 logistics  240\n3     other   80\n"
FRAME = {
    "output_type": "execute_result", "execution_count": 3, "metadata": {},
    "data": {"text/plain": PRINTED, "text/html": "<table><tr><td>retail</td></tr></table>"},
}  # fmt: skip
NOTEBOOK = notebook(
    cell("markdown", REPORT), cell("code", CODE, outputs=[FRAME]), cell("code", "%matplotlib inline\nx = 1")
)
SEEDS = {
    "report.md": REPORT.encode(), "chinese.md": CHINESE.encode(), "notes.txt": PRINTED.encode(),
    "code.py": CODE.encode(),
    "query.sql": QUERY.encode(), "notebook.ipynb": NOTEBOOK,
}  # fmt: skip
PIECES = [
    "\n",
    "\n\n",
    "    ",
    "\t",
    "|",
    "- ",
    "1. ",
    "# ",
    "```",
    "'",
    '"',
    "\\",
    "#",
    "\u200b",
    "\ufe0f",
    "é",
    "ａ",
    "“",
    "，",
    "---",
    "> ",
]
DAMAGE = st.tuples(st.integers(0, 2), st.integers(0, 10**6), st.text(max_size=6) | st.sampled_from(PIECES))


def damaged(text: str, changes: list[tuple[int, int, str]]) -> str:
    """A text with some places replaced, taken out or inserted."""
    for how, where, piece in changes:
        at = where % (len(text) + 1)
        text = text[:at] + ("" if how == 1 else piece) + text[at + (0 if how == 2 else len(piece)) :]
    return text
