"""Files as researchers submit them: tables, a picture, a notebook, a text."""

from __future__ import annotations

import io
import json

from PIL import Image, ImageDraw

INDUSTRIES = (
    "批发和零售业",
    "住宿和餐饮业",
    "制造业",
    "建筑业",
    "交通运输业",
    "信息技术服务业",
    "居民服务业",
    "租赁和商务服务业",
)
MEMO = """# 阶段性说明

行政处罚与欠税在逾期之前一至两个季度增多，社保欠缴更晚。
- 三类征兆同时出现时，逾期占比明显上升。
- 轻微处罚没有区分能力，建议不进入模型。
""".encode()
SOURCE = """import lab

x = lab.features(SQL, as_of="2026-06-30")
run = lab.train("early_warning")
run.evidence["auc"]"""


def rounded(key: str, groups: int, *, base: int = 400) -> bytes:
    """A table of rounded counts that passes the rules."""
    rows = [f"{key}{n + 1},{base + 35 * n},{base // 2 + 10 * n}" for n in range(groups)]
    return "\n".join([f"{key},户数,逾期户数", *rows]).encode() + b"\n"


def exact() -> bytes:
    """A table with exact counts and a zero, which needs a review."""
    rows = [f"{name},{1204 + 317 * n},{(n % 5) * 61},{1.25 + n / 4:.2f}" for n, name in enumerate(INDUSTRIES)]
    return "\n".join(["行业,户数,逾期户数,平均得分", *rows]).encode() + b"\n"


def picture() -> bytes:
    """A bar chart drawn as pixels."""
    image = Image.new("RGB", (760, 380), "#ffffff")
    draw = ImageDraw.Draw(image)
    for n, height in enumerate((290, 240, 205, 160, 130, 96, 70, 44)):
        draw.rectangle((60 + n * 84, 340 - height, 112 + n * 84, 340), fill="#13616b")
    draw.line((40, 340, 730, 340), fill="#888888")
    sink = io.BytesIO()
    image.save(sink, "PNG")
    return sink.getvalue()


def notebook() -> bytes:
    """A notebook with an output, which the airlock removes."""

    def cell(kind: str, source: str) -> dict[str, object]:
        more = {"execution_count": 1, "outputs": []} if kind == "code" else {}
        return {"cell_type": kind, "metadata": {}, "source": source, **more}

    output = {"output_type": "stream", "name": "stdout", "text": "0.742\n"}
    train = cell("code", SOURCE)
    cells = [cell("markdown", "# 逾期早期预警\n\n从公共信用记录取六个月的征兆。"), {**train, "outputs": [output]}]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def mixed() -> dict[str, bytes]:
    """A typical parcel: a table that needs a review, a picture, a notebook, a text."""
    return {"行业分布.csv": exact(), "importance.png": picture(), "modelling.ipynb": notebook(), "notes.md": MEMO}
