"""Public credit: inspections of Beijing, each predicted before its month from what had happened until then.

Inspections come in campaigns, so the split is by time. What has no date (the abnormal-operation list, tax arrears,
lists of high technology) is not read at all, and the re-inspection, which is made only where one failed, neither.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.quality.asof import declared, observe
from bench.quality.tables import Table, data

SOURCE = "Beijing open-data portal"
# A month of a subject is bad when any inspection of it failed; ``planned`` is what was known of it beforehand.
_MONTHS = (
    "SELECT key, date_trunc('month', happened)::DATE AS as_of, max(fail) AS label{planned} FROM _raw_{t} GROUP BY ALL"
)
_DATED = {
    "inspections_culture_press": ("CAST(date AS DATE)", "CAST(date AS DATE) AS inspected_on, fail, domain, form"),
    "inspections_miyun_safety": (
        "CAST(date AS DATE)",
        "CAST(date AS DATE) AS inspected_on, fail, task, street, subject_type AS kind",
    ),
    "env_penalties": ("CAST(try_strptime(date, '%d/%m/%Y %H:%M:%S') AS DATE)", "law"),
    "tax_penalties": ("CAST(date AS DATE)", "kind"),
    "licences_jxj": ("CAST(date AS DATE)", "agency"),
    "green_channel_12315": (
        "CAST(strptime(split_part(time, ' ', 1), '%Y/%m/%d') AS DATE)",
        "CAST(strptime(split_part(time, ' ', 1), '%Y/%m/%d') AS DATE) AS received_on",
    ),
    # The year alone is known: it is seen from the next one on.
    "tech_sme": ("make_date(CAST(left(year, 4) AS INTEGER), 12, 31)", "year"),
}
MIYUN = {
    "inspections_before": 0,
    "inspections_6m": 0,
    "fails_before": 1,
    "fails_6m": 1,
    "fail_share": 1,
    "failed_last_time": 1,
    "months_since_inspection": 0,
    "months_since_fail": -1,
    "key_share": 0,
    "environment_penalties": 1,
    "tax_penalties": 1,
    "licences": 0,
    "complaints_12m": 0,
    "key_planned": 0,
    "by_lot": 0,
    "enterprise": 0,
}
# Streets with more than a hundred inspections, a column for each; all others have 0 in every one.
STREETS = {
    "jingji_kaifaqu": "经济开发区",
    "gulou": "鼓楼街道办事处",
    "miyun": "密云镇",
    "shilipu": "十里堡镇",
    "henanzhai": "河南寨镇",
    "guoyuan": "果园街道办事处",
    "jugezhuang": "巨各庄镇",
    "taishitun": "太师屯镇",
    "mujiayu": "穆家峪镇",
    "xiwengzhuang": "溪翁庄镇",
}


def culture() -> Table:
    """Culture and press: the feature SQL of ``models/declarations/real``; tested on 2024 and later, as its
    declaration says."""
    sql, signs = declared("beijing_inspection")
    return _inspected("Beijing culture", "inspections_culture_press", sql, signs, "2024-01-01")


def miyun() -> Table:
    """Work safety in Miyun: the subject's past, its street, and how the visit was planned; tested on 2024."""
    sql = (Path(__file__).parent / "miyun.sql").read_text(encoding="utf-8")
    planned = {
        "key_planned": "task = '重点'",
        "by_lot": "task = '双随机'",
        "enterprise": "kind = 'enterprise'",
        **{name: f"street = '{street}'" for name, street in STREETS.items()},
    }
    columns = "".join(f", max(CAST({test} AS TINYINT)) AS {name}" for name, test in planned.items())
    sql = sql.format(streets=", ".join(f"o.{name}" for name in STREETS))
    signs = MIYUN | dict.fromkeys(STREETS, 0)
    return _inspected("Beijing Miyun", "inspections_miyun_safety", sql, signs, "2024-01-01", columns)


def _inspected(name: str, table: str, sql: str, signs: dict[str, int], border: str, planned: str = "") -> Table:
    folder = data() / "beijing_public_credit"
    tables = {
        each: f"SELECT subject AS key, {day} AS happened, {columns} FROM '{folder / each}.parquet' "
        f"WHERE {day} IS NOT NULL"
        for each, (day, columns) in _DATED.items()
    }
    features, observations = observe(tables, _MONTHS.format(t=table, planned=planned), sql, tuple(signs))
    return Table(
        name,
        SOURCE,
        features,
        observations["label"].astype(np.int8),
        observations["key"].astype(np.str_),
        tuple(signs),
        tuple(signs.values()),
        days=observations["as_of"].astype("datetime64[D]"),
        border=border,
    )
