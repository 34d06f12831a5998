"""The lab's packages win over files of the same name: after ``import lab`` they load from the folder it lies in itself.

A researcher may have a ``models.py`` or a ``credit.py`` beside a notebook. Whatever the order of ``sys.path`` is,
``models.features`` must be the lab's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

PACKAGES = ("credit", "models", "privacy")  # what `lab` is made of, beside itself
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


class LabPackageFinder:
    """A meta path finder: it finds :data:`PACKAGES` in :data:`ROOT`, and leaves other names to those after it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification of a package of the lab; None for another name, or a zone that is not installed."""
        return PathFinder.find_spec(fullname, [ROOT]) if fullname in PACKAGES else None


def install() -> None:
    """Put the finder first; raises :class:`ImportError` where another module bears the name of a package already."""
    for name in PACKAGES:
        loaded = sys.modules.get(name)
        if loaded is not None and not _is_from_root(loaded):
            place = getattr(loaded, "__file__", None) or "a module of this session"
            raise ImportError(
                f"`{name}` is a package of the lab, and {place} was imported under that name before `import lab`. "
                f"Rename that file and restart the kernel. `{name}` 是实验室自己的包名，请将该文件改名并重启内核。"
            )
    if not any(isinstance(finder, LabPackageFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, LabPackageFinder())


def _is_from_root(module: ModuleType) -> bool:
    return any(
        os.path.realpath(place) == os.path.join(ROOT, module.__name__) for place in getattr(module, "__path__", ())
    )
