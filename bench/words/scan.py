"""Find opaque words in Python sources: in the names that a file defines, and in its docstrings and comments.

A name counts once a file and definition (a function, class, parameter, variable, attribute or file name), not once a
use.
A docstring or comment counts once for each expression of the list that it matches.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PACKAGES = ("credit", "privacy", "lab", "models", "serving", "infra", "bench")
HERE = Path(__file__).parent
PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True, slots=True)
class Flag:
    """One flagged name or sentence: where it is, what it is, and what to write instead."""

    path: str
    line: int
    kind: str
    text: str
    instead: str


@cache
def opaque() -> dict[str, dict[str, str]]:
    """The word list: ``identifiers`` (part of a name -> what to write) and ``sentences`` (expression -> hint)."""
    return dict(yaml.safe_load((HERE / "opaque.yaml").read_text(encoding="utf-8")))


@cache
def exceptions() -> dict[str, list[str]]:
    """File or folder -> names that may stay there."""
    return dict(yaml.safe_load((HERE / "exceptions.yaml").read_text(encoding="utf-8"))["exceptions"])


def scan(paths: Iterable[Path] = ()) -> list[Flag]:
    """Every flag in the Python files below `paths` (default: every package of ours), in order of file and line."""
    wanted = list(paths) or [ROOT / package for package in PACKAGES]
    files = [file for path in wanted for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    return [flag for file in files for flag in scan_file(file)]


def scan_file(path: Path) -> list[Flag]:
    """The flags of one Python file."""
    text = path.read_text(encoding="utf-8")
    name = path.resolve().relative_to(ROOT).as_posix()
    allowed = {each for place, names in exceptions().items() if name.startswith(place) for each in names}
    flags = [flag for flag in _names(name, path, ast.parse(text)) if flag.text not in allowed]
    flags += _sentences(name, text)
    return sorted(flags, key=lambda flag: (flag.line, flag.kind, flag.text))


def _names(name: str, path: Path, tree: ast.Module) -> Iterator[Flag]:
    seen: dict[str, int] = {path.stem: 0}
    for node in ast.walk(tree):
        for each in defined(node):
            seen.setdefault(each, getattr(node, "lineno", 0))
    for each, line in seen.items():
        for part in PART.findall(each):
            instead = opaque()["identifiers"].get(part.lower())
            if instead is not None:
                yield Flag(name, line, "name", each, instead)
                break


def defined(node: Any) -> list[str]:
    """The names that a node of the syntax tree defines."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return [node.id]
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        return [node.attr]
    if isinstance(node, ast.alias) and node.asname:
        return [node.asname]
    if isinstance(node, ast.ExceptHandler) and node.name:
        return [node.name]
    return []


@cache
def _expressions() -> tuple[re.Pattern[str], list[tuple[re.Pattern[str], str]]]:
    """One expression that matches where any of the list does, and each of the list with its hint."""
    listed = opaque()["sentences"]
    each = [(re.compile(expression, re.IGNORECASE), instead) for expression, instead in listed.items()]
    return re.compile("|".join(f"(?:{expression})" for expression in listed), re.IGNORECASE), each


def _sentences(name: str, text: str) -> Iterator[Flag]:
    any_of_them, expressions = _expressions()
    for line, words in _prose(text):
        if not any_of_them.search(words):
            continue
        for expression, instead in expressions:
            match = expression.search(words)
            if match:
                yield Flag(name, line, "sentence", match.group(), instead)


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """Line and words of every docstring and comment."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            words = ast.get_docstring(node)
            if words:
                yield node.body[0].lineno, words
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
