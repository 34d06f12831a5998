"""A version in another language says what the scorer says: in SQL by DuckDB, in PMML by an interpreter of its own."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from models.exports.pmml import NAMESPACE, as_pmml
from models.exports.sql import as_sql
from models.fit import Fitted
from models.sample import Sample
from models.scorer import Scorer

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def scorer(fitted: Fitted) -> Scorer:
    return Scorer.of(fitted.text, fitted.told)


@pytest.fixture(scope="module")
def rows(scorer: Scorer, sample: Sample) -> Floats:
    """Rows of the sample, rows on thresholds and a step beside them, and rows with something missing."""
    random = np.random.default_rng(4)
    x = sample.features[:1500].copy()
    for row in range(1000):
        tree = scorer.forest.trees[random.integers(len(scorer.forest.trees))]
        split = random.integers(len(tree.split_feature))
        threshold = tree.threshold[split]
        beside = (threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf))
        x[row, tree.split_feature[split]] = beside[random.integers(3)]
    x[random.random(x.shape) < 0.1] = np.nan
    x[~np.isfinite(x)] = np.nan
    x[random.random(x.shape) < 0.02] = 1e-36
    return x


@pytest.mark.parametrize("missing", ["null", "nan"])
def test_sql_says_the_same_margin_and_points_to_the_bit(scorer: Scorer, rows: Floats, missing: str) -> None:
    columns = [pa.array(column, from_pandas=missing == "null") for column in rows.T]
    columns.append(pa.array(range(len(rows))))
    features = pa.table(columns, names=[*scorer.card.names, "number"])
    with duckdb.connect(":memory:", config={"threads": 1}) as database:
        database.register("features", features)
        told = database.sql(f"SELECT * FROM ({as_sql(scorer, 'features')}) ORDER BY number").to_arrow_table()
    scores = scorer.score(rows)
    assert np.array_equal(told["margin"].to_numpy(), scorer.raw(rows))
    assert np.array_equal(told["points"].to_numpy(), scores.points)
    assert told["grade"].to_pylist() == scores.grades
    np.testing.assert_allclose(told["probability"].to_numpy(), scores.probability, rtol=1e-14)
    assert told.column_names == [*scorer.card.names, "number", "margin", "probability", "points", "grade"]


def test_pmml_says_the_same_margin_to_the_bit_and_the_same_probability(scorer: Scorer, rows: Floats) -> None:
    document = ElementTree.fromstring(as_pmml(scorer))
    few = rows[:300]
    told = [evaluate(document, dict(zip(scorer.card.names, row, strict=True))) for row in few]
    assert [margin for margin, _ in told] == scorer.raw(few).tolist()
    np.testing.assert_allclose([p for _, p in told], scorer.probability(scorer.raw(few)), rtol=1e-14)


def evaluate(document: ElementTree.Element, row: dict[str, float]) -> tuple[float, float]:
    """A little PMML interpreter, by the words of the standard: a chain of a sum of trees and a logistic regression."""
    of = {"p": NAMESPACE}
    forest, line = document.findall("p:MiningModel/p:Segmentation/p:Segment", of)
    values = dict(row)
    for field in forest.findall("p:MiningModel/p:MiningSchema/p:MiningField", of):
        if math.isnan(values[field.attrib["name"]]) and "missingValueReplacement" in field.attrib:
            values[field.attrib["name"]] = float(field.attrib["missingValueReplacement"])
    margin = 0.0
    for root in forest.findall("p:MiningModel/p:Segmentation/p:Segment/p:TreeModel/p:Node", of):
        node = root
        while "score" not in node.attrib:
            node = next(child for child in node.findall("p:Node", of) if takes(child, node, values))
        margin += float(node.attrib["score"])
    table = line.find("p:RegressionModel/p:RegressionTable", of)
    assert table is not None
    predictor = table.find("p:NumericPredictor", of)
    assert predictor is not None
    odds = float(table.attrib["intercept"]) + float(predictor.attrib["coefficient"]) * margin
    return margin, 1 / (1 + math.exp(-odds))


def takes(child: ElementTree.Element, parent: ElementTree.Element, values: dict[str, float]) -> bool:
    """Whether a row goes to this child: by its predicate, or as the default child when the value is missing."""
    predicate = child.find(f"{{{NAMESPACE}}}SimplePredicate")
    assert predicate is not None
    value = values[predicate.attrib["field"]]
    if math.isnan(value):
        return parent.attrib["defaultChild"] == child.attrib["id"]
    threshold = float(predicate.attrib["value"])
    return value <= threshold if predicate.attrib["operator"] == "lessOrEqual" else value > threshold
