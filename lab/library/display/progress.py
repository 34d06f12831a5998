"""A bar of progress: one display that is updated in a notebook, lines of text elsewhere."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from lab.library.display import html


class ProgressDisplay:
    """Shown while the block runs; in a notebook it is taken away afterwards."""

    def __enter__(self) -> ProgressDisplay:
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        self._handle: Any = None
        self._last = ""
        if getattr(shell, "kernel", None) is not None:
            shown: Any = importlib.import_module("IPython.display")
            self._html = shown.HTML
            self._handle = shown.display(self._html(html.progress("", 0, 0)), display_id=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.update(self._html(""))

    def update(self, label: str, done: int, total: int) -> None:
        """Show a step and how much of it is done."""
        if self._handle is not None:
            self._handle.update(self._html(html.progress(label, done, total)))
            return
        line = label + (f"  {100 * done // total} %" if total else "")
        if line != self._last:
            print(line, flush=True)
        self._last = line
