"""A version as one SELECT for DuckDB (and, save for ``isnan``, plain SQL): margin, probability, points and grade.

Sums run tree by tree from the left, so the margin is LightGBM's to the bit; the probability is as good as ``exp`` of
the database. A missing value is NULL or NaN. All that stands in the text are numbers and names that were checked.
"""

from __future__ import annotations

from models.engine import quoted, text
from models.scorecard import Scorecard
from models.scorer import Scorer
from models.trees.flat import ZERO
from models.trees.model_text import Tree

TREES = 50  # in one sum: databases bound the depth of an expression


def as_sql(scorer: Scorer, table: str) -> str:
    """The SELECT over a table that has the features by name; it gives their rows all its columns and four more."""
    card = scorer.card
    names = [f"x{number}" for number in range(len(card.names))]
    known = [
        f"CASE WHEN isnan(CAST({quoted(f)} AS DOUBLE)) THEN NULL WHEN abs({quoted(f)}) <= {_number(ZERO)} THEN 0e0 "
        f"ELSE CAST({quoted(f)} AS DOUBLE) END AS {x}"
        for f, x in zip(card.names, names, strict=True)
    ]
    query = f"SELECT *, {', '.join(known)}, 0e0 AS margin_0 FROM {quoted(table)}"
    steps = range(0, len(scorer.forest.trees), TREES)
    for step, first in enumerate(steps):
        trees = [_node(tree, 0, names) for tree in scorer.forest.trees[first : first + TREES]]
        total = " + ".join([f"margin_{step}", *trees])
        query = f"SELECT *, {total} AS margin_{step + 1} FROM ({query})"
    odds = f"({_number(card.slope)} * margin_{len(steps)} + {_number(card.intercept)})"
    points = f"{_number(card.offset)} - {_number(card.factor)} * {odds}"
    query = (
        f"SELECT * EXCLUDE ({', '.join(f'margin_{n}' for n in range(len(steps)))}) "
        f"RENAME (margin_{len(steps)} AS margin), 1e0 / (1e0 + exp(-{odds})) AS probability, "
        f"least(greatest({points}, {_number(card.minimum)}), {_number(card.maximum)}) AS points FROM ({query})"
    )
    return f"SELECT * EXCLUDE ({', '.join(names)}), {_grade(card, names)} AS grade FROM ({query})"


def _node(tree: Tree, node: int, names: list[str]) -> str:
    if node < 0:
        return _number(float(tree.leaf_value[~node]))
    x, threshold = names[int(tree.split_feature[node])], float(tree.threshold[node])
    if not tree.missing_is_nan[node]:
        asked = f"coalesce({x}, 0e0) <= {_number(threshold)}"
    else:
        asked = f"{x} <= {_number(threshold)}" + (f" OR {x} IS NULL" if tree.missing_left[node] else "")
    left, right = (_node(tree, int(child[node]), names) for child in (tree.left, tree.right))
    return f"CASE WHEN {asked} THEN {left} ELSE {right} END"


def _grade(card: Scorecard, names: list[str]) -> str:
    """By points, then no better than each rule that hits allows."""
    worst = len(card.grades) - 1
    reached = " ".join(f"WHEN points >= {_number(cut)} THEN {place}" for place, cut in enumerate(card.cuts))
    place = f"CASE {reached} ELSE {worst} END"
    for rule in card.rules:
        least = card.grades.index(rule.grade)
        hits = f"CASE WHEN {names[rule.index]} >= {_number(rule.at_least)} THEN {least} ELSE 0 END"
        place = f"greatest({place}, {hits})"
    named = " ".join(f"WHEN {number} THEN {text(grade)}" for number, grade in enumerate(card.grades))
    return f"CASE {place} {named} END"


def _number(value: float) -> str:
    """A double as a literal: without an exponent a database takes it for a decimal."""
    told = repr(float(value))
    if told in ("inf", "-inf"):
        return f"CAST('{told}' AS DOUBLE)"
    return f"({told if 'e' in told else told + 'e0'})"
