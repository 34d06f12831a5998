"""A warning in the notebook when a cell imports a name and means a file that another module of that name hides."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lab.kernel.own_packages import PACKAGES

LAB_NAMES = frozenset({"lab", *PACKAGES})


class HiddenFileWarnings:
    """Remembers which hidden files a warning was printed for, so that each is printed once."""

    def __init__(self) -> None:
        self._warned: set[str] = set()

    def check(self, tree: ast.AST) -> ast.AST:
        """Print a warning for each hidden file that the cell's imports name; returns ``tree`` as it is."""
        names = set(imported_names(tree))
        if "lab" in names:
            names |= LAB_NAMES
        try:
            folder = Path.cwd()
        except OSError:  # the folder was deleted, so no file of it is hidden
            return tree
        for name in sorted(names):
            path = hidden_file(name, folder)
            if path and path not in self._warned:
                self._warned.add(path)
                print(warning(name, Path(path)), file=sys.stderr)
        return tree


def install(shell: Any) -> None:
    """Check each cell of an IPython shell before it runs, as one of its ``ast_transformers``."""
    shell.ast_transformers.append(SimpleNamespace(visit=HiddenFileWarnings().check))


def imported_names(tree: ast.AST) -> Iterator[str]:
    """The first part of every module name that the code imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def hidden_file(name: str, folder: Path) -> str:
    """The path of the module ``name`` in ``folder`` when ``import name`` gives another one; else an empty string.

    A folder without ``__init__.py`` is not a module here: it is most often a folder of data.
    """
    own = PathFinder.find_spec(name, [str(folder)])
    if own is None or own.origin is None:
        return ""
    try:
        other = find_spec(name)
    except ValueError:  # a module that was made by hand and has no specification
        return ""
    return "" if other is None or other.origin == own.origin else own.origin


def warning(name: str, path: Path) -> str:
    """The words for a person, in both languages."""
    file = f"{path.parent.name}/" if path.name == "__init__.py" else path.name
    english, chinese = ("a package of the lab", "实验室自己的包") if name in LAB_NAMES else _INSTALLED
    return (
        f"{file} in this folder is hidden: `{name}` is {english}. Rename {file} to import it.\n"
        f"本文件夹中的 {file} 被同名模块遮住：`{name}` 是{chinese}。请将 {file} 改名后再导入。"
    )


_INSTALLED = ("a module of Python or of an installed library", "Python 或已安装库的模块")
