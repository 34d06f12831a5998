"""MIME bundles of outputs: kinds that show and do not act, each checked or written again; all others are left out."""

from __future__ import annotations

from typing import Any

from lab.workspace.outputs import html, pictures

LEFT_OUT = "This kind of output is not shown here: {}. 此处不显示该类输出。"
_SIZES = ("width", "height")


def clean(data: Any, metadata: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
    """The bundle and its metadata, written again. Where nothing is left to show, words say what was left out."""
    given = data if isinstance(data, dict) else {}
    kept = {kind: shown for kind, value in given.items() if (shown := _shown(str(kind), _text(value))) is not None}
    if "text/markdown" in given and "text/html" not in kept:
        kept["text/html"] = html.of_markdown(_text(given["text/markdown"]))
    if "text/latex" in given and "text/plain" not in kept:
        kept["text/plain"] = _text(given["text/latex"])
    if given and not kept:
        kept["text/plain"] = LEFT_OUT.format(", ".join(sorted(str(kind)[:60] for kind in given)[:5]))
    return kept, _sizes(metadata, kept)


def _shown(kind: str, value: str) -> str | None:
    if kind == "text/plain":
        return value
    if kind == "text/html":
        return html.clean(value)
    if kind == "image/svg+xml":
        return pictures.drawing(value)
    return value if kind in pictures.BEGINNINGS and pictures.is_picture(kind, value) else None


def _text(value: Any) -> str:
    """Text that may be stored as a list of lines, as notebooks do; empty for anything else."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else ""


def _sizes(metadata: Any, kept: dict[str, str]) -> dict[str, Any]:
    """The sizes of pictures, which are all the metadata that an output keeps."""
    given = metadata if isinstance(metadata, dict) else {}
    sizes: dict[str, Any] = {}
    for kind in kept:
        of_kind = given.get(kind)
        if kind.startswith("image/") and isinstance(of_kind, dict):
            own = {name: of_kind[name] for name in _SIZES if isinstance(of_kind.get(name), int | float)}
            sizes |= {kind: own} if own else {}
    return sizes
