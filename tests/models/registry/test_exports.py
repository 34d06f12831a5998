"""A version in another language says what the scorer says: in SQL by DuckDB, in PMML by an interpreter of its own."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from models.dataset.sample import Sample
from models.registry.exports.pmml import NAMESPACE, as_pmml
from models.registry.exports.sql import as_sql
from models.scoring.scorer import Scorer
from models.training.fit import VersionContent

MAPS = {
    "platt": {"slope": 0.9, "intercept": -0.1},  # of no kind: as versions were before there were others
    "beta": {"kind": "beta", "a": 0.4, "b": 1.7, "c": -0.3},
    "isotonic": {
        "kind": "isotonic",
        "margins": [-4.0, -3.0, -2.1, -1.7, -1.0, 0.0],
        "log_odds": [-3.5, -3.4, -2.2, -2.1, 0.3, 0.4],
    },
}
Floats = NDArray[np.float64]


@pytest.fixture(scope="module", params=MAPS)
def scorer(fitted: VersionContent, request: pytest.FixtureRequest) -> Scorer:
    return Scorer.of(fitted.text, fitted.scorecard | {"calibration": MAPS[request.param]})


@pytest.fixture(scope="module")
def rows(scorer: Scorer, sample: Sample) -> Floats:
    """Rows of the sample, rows on thresholds and a step beside them, and rows with something missing."""
    random = np.random.default_rng(4)
    x = sample.features[:1500].copy()
    for row in range(1000):
        tree = scorer.forest.trees[random.integers(len(scorer.forest.trees))]
        split = random.integers(len(tree.split_feature))
        threshold = tree.threshold[split]
        candidates = (threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf))
        x[row, tree.split_feature[split]] = candidates[random.integers(3)]
    x[random.random(x.shape) < 0.1] = np.nan
    x[~np.isfinite(x)] = np.nan
    x[random.random(x.shape) < 0.02] = 1e-36
    return x


@pytest.mark.parametrize("missing", ["null", "nan"])
def test_sql_computes_the_same_margin_and_points_to_the_bit(scorer: Scorer, rows: Floats, missing: str) -> None:
    columns = [pa.array(column, from_pandas=missing == "null") for column in rows.T]
    columns.append(pa.array(range(len(rows))))
    features = pa.table(columns, names=[*scorer.card.names, "number"])
    with duckdb.connect(":memory:", config={"threads": 1}) as database:
        database.register("features", features)
        table = database.sql(f"SELECT * FROM ({as_sql(scorer, 'features')}) ORDER BY number").to_arrow_table()
    scores = scorer.score(rows)
    assert np.array_equal(table["margin"].to_numpy(), scorer.raw(rows))
    if scorer.card.calibration.kind == "beta":  # it takes logarithms, and those are as good as the database's
        np.testing.assert_allclose(table["points"].to_numpy(), scores.points, rtol=1e-13)
    else:
        assert np.array_equal(table["points"].to_numpy(), scores.points)
    assert table["grade"].to_pylist() == scores.grades
    np.testing.assert_allclose(table["probability"].to_numpy(), scores.probability, rtol=1e-14)
    assert table.column_names == [*scorer.card.names, "number", "margin", "probability", "points", "grade"]


def test_pmml_computes_the_same_margin_to_the_bit_and_the_same_probability(scorer: Scorer, rows: Floats) -> None:
    document = ElementTree.fromstring(as_pmml(scorer))
    few = rows[:300]
    results = [evaluate(document, dict(zip(scorer.card.names, row, strict=True))) for row in few]
    assert [margin for margin, _ in results] == scorer.raw(few).tolist()
    np.testing.assert_allclose([p for _, p in results], scorer.probability(scorer.raw(few)), rtol=1e-14)


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
    fields = {"margin": margin}
    for derived in line.findall("p:RegressionModel/p:LocalTransformations/p:DerivedField", of):
        fields[derived.attrib["name"]] = value_of(derived[0], fields)
    table = line.find("p:RegressionModel/p:RegressionTable", of)
    assert table is not None
    odds = float(table.attrib["intercept"])
    for predictor in table.findall("p:NumericPredictor", of):
        odds += float(predictor.attrib["coefficient"]) * fields[predictor.attrib["name"]]
    return margin, 1 / (1 + math.exp(-odds))


def value_of(element: ElementTree.Element, fields: dict[str, float]) -> float:
    """A derived field: functions of the standard (its section on built-in functions), and NormContinuous."""
    name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    if name == "FieldRef":
        return fields[element.attrib["field"]]
    if name == "Constant":
        return float(element.text or "")
    if name == "Apply":
        functions = {"+": sum, "*": math.prod, "max": max}
        alone = {"abs": abs, "exp": math.exp, "ln1p": math.log1p}
        operands = [value_of(each, fields) for each in element]
        function = element.attrib["function"]
        return float(functions[function](operands) if function in functions else alone[function](*operands))
    assert (name, element.attrib["outliers"]) == ("NormContinuous", "asIs")
    x = fields[element.attrib["field"]]
    knots = [(float(each.attrib["orig"]), float(each.attrib["norm"])) for each in element]
    inner = sum(x >= orig for orig, _ in knots[1:-1])
    (x0, y0), (x1, y1) = knots[inner], knots[inner + 1]
    return y0 + (x - x0) * (y1 - y0) / (x1 - x0)


def takes(child: ElementTree.Element, parent: ElementTree.Element, values: dict[str, float]) -> bool:
    """Whether a row goes to this child: by its predicate, or as the default child when the value is missing."""
    predicate = child.find(f"{{{NAMESPACE}}}SimplePredicate")
    assert predicate is not None
    value = values[predicate.attrib["field"]]
    if math.isnan(value):
        return parent.attrib["defaultChild"] == child.attrib["id"]
    threshold = float(predicate.attrib["value"])
    return value <= threshold if predicate.attrib["operator"] == "lessOrEqual" else value > threshold
