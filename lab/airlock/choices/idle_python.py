"""Choices of Python that do nothing, or stand where the same stood before otherwise (无效语句与重复语句).

A statement without effect, and a sign between two values that another sign joined before, are what a reader passes
over. Each is charged by a code that learns, so that ordinary code, which has few of them, costs little.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from lab.airlock.words.adaptive_code import AdaptiveCode

_EFFECTS = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.JoinedStr)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def charge_python(code: AdaptiveCode, lines: tuple[str, ...], before: dict[str, str]) -> None:
    """Charge the choices of a text of Python; ``before`` has which signs stood between which values."""
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    shown = tree.body[-1] if tree.body else None  # a cell shows its last value, which is an effect
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node is not shown:
            code.add("python statement", _idle(node) or "statement")
        for values, sign in _signs(node):
            if (last := before.get(values)) is not None:
                code.add("python sign", "same" if last == sign else f"changed to {sign}")
            before[values] = sign


def _idle(node: ast.stmt) -> str:
    """What a statement is that does nothing, as a bare value or ``x = x``; empty for another one."""
    if isinstance(node, ast.Expr) and not any(isinstance(each, _EFFECTS) for each in ast.walk(node)):
        return f"idle {type(node.value).__name__}"  # a text among them is charged by its words too
    if isinstance(node, ast.Assign):
        value = ast.dump(node.value)
        return "idle" if any(ast.dump(target).replace("Store", "Load") == value for target in node.targets) else ""
    return "pass" if isinstance(node, ast.Pass) else ""


def _signs(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The values that a node joins, without numbers, and the sign between them."""
    if isinstance(node, ast.BinOp):
        left = node.left.right if isinstance(node.left, ast.BinOp) else node.left
        yield _values(left, node.right), type(node.op).__name__
    elif isinstance(node, ast.AugAssign):
        yield _values(node.target, node.value), type(node.op).__name__
    elif isinstance(node, ast.Compare):
        for left, op, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
            yield _values(left, right), type(op).__name__
    elif isinstance(node, ast.BoolOp):
        yield _values(*node.values), type(node.op).__name__


def _values(*nodes: ast.expr) -> str:
    return " ? ".join(_NUMBER.sub("0", ast.unparse(node)) for node in nodes)
