"""A version as one SELECT for DuckDB (plain SQL except ``isnan``): margin, probability, points and grade.

Sums run tree by tree from the left, so the margin equals LightGBM's to the bit; the probability is as exact as the
database's ``exp``. A missing value is NULL or NaN. The text contains only numbers and checked names.
"""

from __future__ import annotations

from models.calibration.maps import Beta, CalibrationMap, Isotonic, Platt
from models.features.duckdb_engine import quote_identifier, quote_literal
from models.scoring.scorecard import Scorecard
from models.scoring.scorer import Scorer
from models.scoring.trees.flat_forest import ZERO
from models.scoring.trees.model_text import Tree

TREES = 50  # in one sum: databases limit the depth of an expression


def as_sql(scorer: Scorer, table: str) -> str:
    """The SELECT over a table that has the features by name; it gives all columns of the table and four more."""
    card = scorer.card
    names = [f"x{number}" for number in range(len(card.names))]
    known = [
        f"CASE WHEN isnan(CAST({column} AS DOUBLE)) THEN NULL WHEN abs({column}) <= {_literal(ZERO)} THEN 0e0 "
        f"ELSE CAST({column} AS DOUBLE) END AS {x}"
        for column, x in zip(map(quote_identifier, card.names), names, strict=True)
    ]
    query = f"SELECT *, {', '.join(known)}, 0e0 AS margin_0 FROM {quote_identifier(table)}"
    steps = range(0, len(scorer.forest.trees), TREES)
    for step, first in enumerate(steps):
        trees = [_node(tree, 0, names) for tree in scorer.forest.trees[first : first + TREES]]
        total = " + ".join([f"margin_{step}", *trees])
        query = f"SELECT *, {total} AS margin_{step + 1} FROM ({query})"
    query = f"SELECT *, {_log_odds(card.calibration, f'margin_{len(steps)}')} AS margin_log_odds FROM ({query})"
    points = f"{_literal(card.offset)} - {_literal(card.factor)} * margin_log_odds"
    query = (
        f"SELECT * EXCLUDE (margin_log_odds, {', '.join(f'margin_{n}' for n in range(len(steps)))}) "
        f"RENAME (margin_{len(steps)} AS margin), 1e0 / (1e0 + exp(-margin_log_odds)) AS probability, "
        f"least(greatest({points}, {_literal(card.minimum)}), {_literal(card.maximum)}) AS points FROM ({query})"
    )
    return f"SELECT * EXCLUDE ({', '.join(names)}), {_grade(card, names)} AS grade FROM ({query})"


def _log_odds(calibration: CalibrationMap, margin: str) -> str:
    """The calibration map as SQL, with the operations in the order of the scorer."""
    match calibration:
        case Platt():
            return f"{_literal(calibration.slope)} * {margin} + {_literal(calibration.intercept)}"
        case Beta():
            rest = f"ln(1e0 + exp(-abs({margin})))"
            above, below = (f"(greatest({sign}{margin}, 0e0) + {rest})" for sign in ("", "-"))
            return (
                f"{_literal(calibration.b)} * {above} - {_literal(calibration.a)} * {below} + {_literal(calibration.c)}"
            )
        case Isotonic():
            pieces = [
                f"least({_literal(odds)} + {_literal(slope)} * ({margin} - {_literal(start)}), {_literal(end)})"
                for start, odds, slope, end in calibration.pieces.T.tolist()
            ]
            starts = [_literal(start) for start in calibration.pieces[0, 1:].tolist()]
            inner = " ".join(f"WHEN {margin} < {s} THEN {p}" for s, p in zip(starts, pieces[:-1], strict=True))
            return f"CASE {inner} ELSE {pieces[-1]} END" if inner else pieces[-1]


def _node(tree: Tree, node: int, names: list[str]) -> str:
    if node < 0:
        return _literal(float(tree.leaf_value[~node]))
    x, threshold = names[int(tree.split_feature[node])], float(tree.threshold[node])
    if not tree.missing_is_nan[node]:
        condition = f"coalesce({x}, 0e0) <= {_literal(threshold)}"
    else:
        condition = f"{x} <= {_literal(threshold)}" + (f" OR {x} IS NULL" if tree.missing_left[node] else "")
    left, right = (_node(tree, int(child[node]), names) for child in (tree.left, tree.right))
    return f"CASE WHEN {condition} THEN {left} ELSE {right} END"


def _grade(card: Scorecard, names: list[str]) -> str:
    """The grade by points, then lowered to the cap of each rule that applies."""
    worst = len(card.grades) - 1
    reached = " ".join(f"WHEN points >= {_literal(cut)} THEN {place}" for place, cut in enumerate(card.cuts))
    place = f"CASE {reached} ELSE {worst} END"
    for rule in card.rules:
        least = card.grades.index(rule.grade)
        hits = f"CASE WHEN {names[rule.index]} >= {_literal(rule.at_least)} THEN {least} ELSE 0 END"
        place = f"greatest({place}, {hits})"
    named = " ".join(f"WHEN {number} THEN {quote_literal(grade)}" for number, grade in enumerate(card.grades))
    return f"CASE {place} {named} END"


def _literal(value: float) -> str:
    """A double as a literal: without an exponent a database takes it for a decimal."""
    digits = repr(float(value))
    if digits in ("inf", "-inf"):
        return f"CAST('{digits}' AS DOUBLE)"
    return f"({digits if 'e' in digits else digits + 'e0'})"
