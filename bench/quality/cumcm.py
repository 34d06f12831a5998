"""Market credit: the VAT invoices of 123 firms with an outcome (CUMCM 2020, problem C; no licence stated).

The rating is not read: every firm rated D failed to pay. Folds and not time, because all outcomes are of one day.
"""

from __future__ import annotations

import numpy as np

from bench.quality.asof import declared, observe
from bench.quality.tables import Table, data

DAY = "DATE '2020-03-01'"


def invoices() -> Table:
    """The feature SQL of ``models/declarations/real``. Six times six folds, for there are 27 bad firms: with five folds
    fewer than the 100 rows would be left that our pipeline asks for."""
    folder = data() / "cumcm2020c"
    sides = {"in": ("input", "销方单位代号"), "out": ("output", "购方单位代号")}
    lines = " UNION ALL ".join(
        f"SELECT 企业代号 AS key, CAST(开票日期 AS DATE) AS happened, CAST(开票日期 AS DATE) AS issued_on, "
        f"'{side}' AS direction, {other} AS counterparty, 金额 AS amount, 税额 AS tax, 发票状态 = '作废发票' AS void "
        f"FROM '{folder / f'invoices_{file}_labelled123.parquet'}'"
        for side, (file, other) in sides.items()
    )
    sql, signs = declared("invoice_credit")
    observed = (
        f"SELECT 企业代号 AS key, {DAY} AS as_of, CAST(是否违约 = '是' AS TINYINT) AS label "
        f"FROM read_csv('{folder / 'enterprises.csv'}') WHERE 是否违约 IN ('是', '否')"
    )
    features, observations = observe({"invoice": lines}, observed, sql, tuple(signs))
    return Table(
        "CUMCM invoices",
        "CUMCM 2020, problem C",
        features,
        observations["label"].astype(np.int8),
        observations["key"].astype(np.str_),
        tuple(signs),
        tuple(signs.values()),
        parts=6,
        repetitions=6,
    )
