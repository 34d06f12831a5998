"""Completion that runs no code: IPython imports a module to complete ``from module import``, and jedi imports others.

Completion comes with no cell, so the ledger would not have what it ran. Names of modules that are loaded already, of
variables and of files are still completed, and ``lab.catalogue().`` with its tables and columns, which is our code.
"""

from __future__ import annotations

import sys
from typing import Any

from IPython.core import completerlib, guarded_eval

CATALOGUE = "lab.library.catalogue"


def names_of_loaded(mod: str, only_modules: Any = False) -> list[str]:
    """The names of a module that is loaded already, sorted; none of any other, which stays unloaded."""
    loaded = sys.modules.get(mod)
    return sorted(vars(loaded)) if loaded is not None else []


class CallsOfCompletion(set[Any]):
    """The functions that completion may call: IPython's own, and ``lab.catalogue``, which is loaded when first used."""

    def __contains__(self, function: object) -> bool:
        own = getattr(sys.modules.get(CATALOGUE), "catalogue", None)
        return (own is not None and getattr(function, "__wrapped__", None) is own) or super().__contains__(function)


def install(shell: Any) -> None:
    """Make the completer of an IPython shell look at what is loaded and import nothing."""
    completerlib.try_import = names_of_loaded
    shell.Completer.use_jedi = False
    shell.Completer.evaluation = "limited"  # a property, which is code, is not run to complete what it gives
    limited: Any = guarded_eval.EVALUATION_POLICIES["limited"]
    limited.allowed_calls = CallsOfCompletion(limited.allowed_calls)
    limited.allowed_getattr_external |= {(CATALOGUE, "Catalogue"), (CATALOGUE, "Table")}
    limited.allowed_getitem_external |= {(CATALOGUE, "Catalogue")}
