"""The files of the home that a browser may receive: notebooks, text and pictures of readable size, and no links.

A notebook in a browser can be copied from the screen, which cannot be prevented. Files can: no archive, no binary
table, and nothing larger than a person reads is sent.
"""

from __future__ import annotations

import base64
import errno
import os
from pathlib import Path
from typing import Any

from jupyter_server.services.contents.filemanager import AsyncFileContentsManager
from tornado.web import HTTPError

from lab.workspace.outputs import notebooks, pictures

MOST_TEXT = 512 * 1024  # bytes
MOST_NOTEBOOK = 16 << 20
PICTURES = {".png": 4 << 20, ".jpg": 4 << 20, ".jpeg": 4 << 20, ".svg": 2 << 20}


class OutsideError(HTTPError, OSError):
    """A link out of the home: refused when requested, and left out of a listing (as an OSError of links)."""

    def __init__(self) -> None:
        HTTPError.__init__(self, 403, "This is a link to a place outside the home")
        self.errno = errno.ELOOP


class SealedContents(AsyncFileContentsManager):  # type: ignore[misc]
    """Files of the home, without links out of it and without binary files."""

    def _get_os_path(self, path: str) -> str:
        """The path on disk.

        Raises :class:`OutsideError` when a link leads out of the home (a kernel can create links).
        """
        place = str(super()._get_os_path(path))
        root = os.path.realpath(self.root_dir)
        real = os.path.realpath(place)
        if real != root and not real.startswith(root + os.sep):
            raise OutsideError
        return place

    async def get(
        self, path: str, content: bool = True, type: str | None = None, format: str | None = None, **more: Any
    ) -> Any:
        """A file or folder, as Jupyter Server describes it; refused (403) when it is larger than a person reads."""
        place = Path(self._get_os_path(path))
        if content and place.is_file():
            self._require_readable(place, type, format)
        model = await super().get(path, content=content, type=type, format=format, **more)
        return _cleaned(model) if content else model

    def _require_readable(self, place: Path, kind: str | None, form: str | None) -> None:
        ending, size = place.suffix.lower(), place.stat().st_size
        notebook = ending == ".ipynb" and kind != "file"
        most = MOST_NOTEBOOK if notebook else PICTURES.get(ending, MOST_TEXT)
        if size > most:
            raise HTTPError(
                403, f"This file has {size >> 10} KiB, and the workspace shows {most >> 10} KiB at most: look at it "
                "with code, or ask for it to be carried out (lab.carry_out)"
            )  # fmt: skip
        if form == "base64" and ending not in PICTURES:
            raise HTTPError(403, "The workspace shows notebooks, text and pictures: what leaves goes by lab.carry_out")
        if ending not in PICTURES and not notebook and b"\0" in place.read_bytes():
            raise HTTPError(403, "This is not text: look at it with code")


def _cleaned(model: Any) -> Any:
    """The file with outputs and drawings that show and do not act: a kernel may have written it."""
    if model["type"] == "notebook":
        model["content"] = notebooks.clean(model["content"])
    elif model["type"] == "file" and Path(model["path"]).suffix.lower() == ".svg":
        drawn = pictures.drawing(_decoded(model))
        if drawn is None:
            raise HTTPError(403, "This is not a drawing that can be shown: look at it with code")
        as_base64 = model["format"] == "base64"
        model["content"] = base64.b64encode(drawn.encode()).decode() if as_base64 else drawn
    return model


def _decoded(model: Any) -> str:
    content = model["content"]
    return base64.b64decode(content).decode("utf-8", "replace") if model["format"] == "base64" else str(content)
