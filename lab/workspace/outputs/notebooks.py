"""Notebooks on their way to a browser: a kernel can write one into its home, with any output and any attachment.

The text of a cell is left as it is. JupyterLab renders markdown itself, through its sanitiser, which the lab's settings
allow no address; and ``share/labextensions/haihe-links`` stops every link in it.
"""

from __future__ import annotations

from typing import Any

import nbformat

from lab.workspace.outputs import bundles, pictures
from lab.workspace.outputs.kernel_messages import KINDS

OF_CELLS = frozenset({"collapsed", "scrolled", "tags", "editable", "deletable", "trusted", "jupyter", "name"})
OF_NOTEBOOKS = frozenset({"kernelspec", "language_info", "title", "authors"})
_OUTPUTS = frozenset({"stream", "error", "display_data", "execute_result"})


def clean(notebook: Any) -> Any:
    """A notebook (as parsed JSON, format 4) whose outputs and attachments show and do not act; changed in place."""
    _keep(notebook.get("metadata"), OF_NOTEBOOKS)
    for cell in notebook.get("cells", []):
        _keep(cell.get("metadata"), OF_CELLS)
        if "outputs" in cell:
            cell["outputs"] = [kept for each in cell["outputs"] if (kept := _output(each))]
        if "attachments" in cell:
            attached = {name: _attached(each) for name, each in cell["attachments"].items()}
            cell["attachments"] = nbformat.from_dict(attached)  # type: ignore[no-untyped-call]
    return notebook


def _output(output: Any) -> Any:
    kind = output.get("output_type")
    if kind not in _OUTPUTS:
        return None
    given = dict(output)
    if isinstance(given.get("text"), list):  # the lines of a stream
        given["text"] = "".join(map(str, given["text"]))
    kept = KINDS[kind](given)
    kept.pop("transient", None)
    return nbformat.from_dict({"output_type": kind, **kept})  # type: ignore[no-untyped-call]  # as checkpoints need it


def _attached(bundle: Any) -> dict[str, str]:
    shown, _ = bundles.clean(bundle)
    return {kind: value for kind, value in shown.items() if kind in pictures.BEGINNINGS}


def _keep(metadata: Any, names: frozenset[str]) -> None:
    for name in set(metadata or ()) - names:
        del metadata[name]
