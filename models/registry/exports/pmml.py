"""A version as PMML 4.4 (Data Mining Group): the sum of the trees, then the calibration map and the logit.

Platt's line is a regression on the margin; the beta map is one on two derived fields, ``above`` and ``below``; the
isotonic map is a ``NormContinuous`` with continued outer pieces. The output fields are ``margin`` and
``probability``. A
missing value goes to the default child of a split; where LightGBM takes a missing value for 0, it is replaced by 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

import numpy as np

from credit.errors import Refused
from models.calibration.maps import Beta, Isotonic, Platt
from models.scoring.scorer import Scorer
from models.scoring.trees.model_text import Tree

NAMESPACE = "http://www.dmg.org/PMML-4_4"
Element = ElementTree.Element


def as_pmml(scorer: Scorer) -> str:
    """The PMML document. Raises :class:`~credit.errors.Refused` when trees treat a feature's missing values
    differently."""
    names = scorer.card.names
    root = Element("PMML", version="4.4", xmlns=NAMESPACE)
    header = ElementTree.SubElement(root, "Header", description=scorer.card.model)
    ElementTree.SubElement(header, "Application", name="haihe-credit-lab")
    fields = ElementTree.SubElement(root, "DataDictionary", numberOfFields=str(len(names)))
    for name in names:
        ElementTree.SubElement(fields, "DataField", name=name, optype="continuous", dataType="double")
    chain = _mining(root, names, scorer)
    segments = ElementTree.SubElement(chain, "Segmentation", multipleModelMethod="modelChain")
    first = ElementTree.SubElement(segments, "Segment", id="1")
    ElementTree.SubElement(first, "True")
    forest = _mining(first, names, scorer)
    output = ElementTree.SubElement(forest, "Output")
    ElementTree.SubElement(
        output, "OutputField", name="margin", optype="continuous", dataType="double", feature="predictedValue"
    )
    trees = ElementTree.SubElement(forest, "Segmentation", multipleModelMethod="sum")
    for number, tree in enumerate(scorer.forest.trees):
        segment = ElementTree.SubElement(trees, "Segment", id=str(number + 1))
        ElementTree.SubElement(segment, "True")
        _tree(segment, tree, names)
    _logistic(ElementTree.SubElement(segments, "Segment", id="2"), scorer)
    ElementTree.indent(root, "")
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _mining(parent: Element, names: tuple[str, ...], scorer: Scorer) -> Element:
    model = ElementTree.SubElement(parent, "MiningModel", {"functionName": "regression", "x-mathContext": "double"})
    schema = ElementTree.SubElement(model, "MiningSchema")
    zero = _missing_as_zero(scorer)
    for number, name in enumerate(names):
        more = {"missingValueReplacement": "0", "missingValueTreatment": "asValue"} if number in zero else {}
        ElementTree.SubElement(schema, "MiningField", {"name": name, **more})
    return model


def _missing_as_zero(scorer: Scorer) -> set[int]:
    trees = scorer.forest.trees
    feature, is_nan = (np.concatenate([getattr(t, n) for t in trees]) for n in ("split_feature", "missing_is_nan"))
    zero, own = set(feature[~is_nan].tolist()), set(feature[is_nan].tolist())
    if zero & own:
        raise Refused("pmml.version-no-pmml")
    return zero


def _tree(parent: Element, tree: Tree, names: tuple[str, ...]) -> None:
    model = ElementTree.SubElement(
        parent,
        "TreeModel",
        functionName="regression",
        missingValueStrategy="defaultChild",
        splitCharacteristic="binarySplit",
    )
    schema = ElementTree.SubElement(model, "MiningSchema")
    for feature in sorted(set(tree.split_feature.tolist())):
        ElementTree.SubElement(schema, "MiningField", name=names[feature])
    root = ElementTree.SubElement(model, "Node", id="0")
    ElementTree.SubElement(root, "True")
    open_nodes = [(0, root)]
    while open_nodes:
        node, element = open_nodes.pop()
        if node < 0:
            element.set("score", repr(float(tree.leaf_value[~node])))
            continue
        name, threshold = names[int(tree.split_feature[node])], repr(float(tree.threshold[node]))
        for child, side, operator in (
            (int(tree.left[node]), "left", "lessOrEqual"),
            (int(tree.right[node]), "right", "greaterThan"),
        ):
            below = ElementTree.SubElement(element, "Node", id=f"{node}{side}")
            attributes = {"field": name, "operator": operator, "value": "INF" if threshold == "inf" else threshold}
            ElementTree.SubElement(below, "SimplePredicate", attributes)
            open_nodes.append((child, below))
        element.set("defaultChild", f"{node}{'left' if tree.missing_left[node] else 'right'}")


def _logistic(parent: Element, scorer: Scorer) -> None:
    ElementTree.SubElement(parent, "True")
    model = ElementTree.SubElement(
        parent,
        "RegressionModel",
        {"functionName": "regression", "normalizationMethod": "logit", "x-mathContext": "double"},
    )
    schema = ElementTree.SubElement(model, "MiningSchema")
    ElementTree.SubElement(schema, "MiningField", name="margin")
    output = ElementTree.SubElement(model, "Output")
    ElementTree.SubElement(
        output, "OutputField", name="probability", optype="continuous", dataType="double", feature="predictedValue"
    )
    calibration = scorer.card.calibration
    match calibration:
        case Platt():
            intercept, coefficients = calibration.intercept, {"margin": calibration.slope}
        case Beta():
            intercept, coefficients = calibration.c, {"above": calibration.b, "below": -calibration.a}
            _softplus(model, coefficients)
        case Isotonic():
            intercept, coefficients = 0.0, {"log_odds": 1.0}
            norm = ElementTree.SubElement(
                _derived(model, "log_odds"), "NormContinuous", field="margin", outliers="asIs"
            )
            for margin, odds in zip(calibration.margins, calibration.odds, strict=True):
                ElementTree.SubElement(norm, "LinearNorm", orig=repr(margin), norm=repr(odds))
    table = ElementTree.SubElement(model, "RegressionTable", intercept=repr(intercept))
    for name, coefficient in coefficients.items():
        ElementTree.SubElement(table, "NumericPredictor", name=name, coefficient=repr(coefficient))


def _derived(model: Element, name: str) -> Element:
    existing = model.find("LocalTransformations")
    local = ElementTree.SubElement(model, "LocalTransformations") if existing is None else existing
    return ElementTree.SubElement(local, "DerivedField", name=name, optype="continuous", dataType="double")


def _softplus(model: Element, names: Iterable[str]) -> None:
    """``above`` is ln(1 + exp(margin)), ``below`` ln(1 + exp(-margin)): max(±margin, 0) + ln(1 + exp(-|margin|))."""
    for name in names:
        total = _apply(_derived(model, name), "+")
        larger = _apply(total, "max")
        if name == "above":
            ElementTree.SubElement(larger, "FieldRef", field="margin")
        else:
            _times(larger, -1, ElementTree.Element("FieldRef", field="margin"))
        ElementTree.SubElement(larger, "Constant", dataType="double").text = "0"
        size = Element("Apply", function="abs")
        ElementTree.SubElement(size, "FieldRef", field="margin")
        _times(_apply(_apply(total, "ln1p"), "exp"), -1, size)


def _apply(parent: Element, function: str) -> Element:
    return ElementTree.SubElement(parent, "Apply", function=function)


def _times(parent: Element, number: int, value: Element) -> None:
    product = _apply(parent, "*")
    ElementTree.SubElement(product, "Constant", dataType="double").text = str(number)
    product.append(value)
