"""The files of the home that a browser may receive: notebooks, text and pictures of readable size, and no links.

A notebook in a browser can be copied from the screen, which cannot be prevented. Files can: no archive, no binary
table, and nothing larger than a person reads is sent. Files are opened once, without following a link
(:mod:`lab.workspace.files.home_files`). A new name in the home is recorded as a cell first: a kernel could read it as
code by listing the folder. What is shown is recorded and paced (:mod:`lab.workspace.files.shown_files`).
"""

from __future__ import annotations

import base64
import binascii
import errno
import http.client
import json
import mimetypes
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import nbformat
from anyio.to_thread import run_sync
from jupyter_server.services.contents.filemanager import AsyncFileContentsManager
from tornado.web import HTTPError

from credit.messages import Text, language_here
from lab.settings import KEPT_FILE
from lab.workspace import gateway_reports
from lab.workspace.files.home_files import HomeFiles, parts_of
from lab.workspace.files.shown_files import require_recorded
from lab.workspace.outputs import notebooks, pictures

MOST_TEXT = 512 * 1024  # bytes
MOST_NOTEBOOK = 16 << 20
PICTURES = {".png": 4 << 20, ".jpg": 4 << 20, ".jpeg": 4 << 20, ".svg": 2 << 20}
_CODES = {errno.ENOENT: 404, errno.EINVAL: 404, errno.ENOTDIR: 403, errno.ELOOP: 403, errno.EEXIST: 409}
Value = TypeVar("Value")


class SealedContents(AsyncFileContentsManager):  # type: ignore[misc]
    """Files of the home, without links and without binary files. Every way to a file is :class:`HomeFiles`."""

    @property
    def _files(self) -> HomeFiles:
        return HomeFiles(Path(self.root_dir))

    def _get_os_path(self, path: str) -> NoReturn:
        """Refused: nothing of the library opens a file by its path."""
        raise HTTPError(403, Text.of("workspace-contents.link-outside").render(language_here()))

    async def get(
        self, path: str, content: bool = True, type: str | None = None, format: str | None = None, **more: Any
    ) -> Any:
        """A file or folder, as Jupyter Server describes it; refused (403) when it is larger than a person reads."""
        model = await self._described(path, content, type, format)
        if model["type"] != "directory" and more.get("require_hash"):
            data, _ = await self._do(self._files.read, path, KEPT_FILE)
            model |= self._get_hash(data)
        await require_recorded(model, self._listings)
        return model

    async def _described(self, path: str, content: bool, type: str | None = None, format: str | None = None) -> Any:
        """A file or folder, of which nothing is recorded yet."""
        status = await self._do(self._files.status, path)
        if stat.S_ISLNK(status.st_mode):
            raise _refusal(Text.of("workspace-contents.link-outside"))
        if stat.S_ISDIR(status.st_mode):
            if type not in (None, "directory"):
                raise HTTPError(400, f"{path} is a directory, not a {type}", reason="bad type")
            return await self._folder_model(path, status, content)
        if not stat.S_ISREG(status.st_mode):
            raise HTTPError(404, f"No such file or directory: {path}")
        if type == "directory":
            raise HTTPError(400, f"{path} is not a directory", reason="bad type")
        is_notebook = type == "notebook" or (type is None and path.endswith(".ipynb"))
        model = _model(path, status, "notebook" if is_notebook else "file")
        if content:
            await self._fill(model, path, is_notebook, format)
        return model

    async def save(self, model: Any, path: str = "") -> Any:
        """Save a file, a notebook or a new folder; the model without its content."""
        kind = model.get("type")
        if kind not in ("file", "notebook", "directory") or ("content" not in model and kind != "directory"):
            raise HTTPError(400, "A file of a known type with its content was expected")
        self._require_shown(path)
        is_new = not await self.exists(path)
        if kind == "directory":
            if is_new:
                await self._record(f"# new folder {path}")
                await self._do(self._files.make_folder, path)
        else:
            data = _bytes_of(model)
            if len(data) > KEPT_FILE:
                raise _refusal(Text.of("workspace-contents.too-large", size=len(data) >> 10, most=KEPT_FILE >> 10))
            if is_new:
                await self._record(f"# new file {path}")
            await self._do(self._files.write, path, data)
        return await self._described(path, content=False)  # the browser knows what it saved

    async def delete_file(self, path: str) -> None:
        """Delete a file, a link, or an empty folder."""
        self._require_shown(path)
        await self._do(self._files.remove, path)

    async def rename_file(self, old_path: str, new_path: str) -> None:
        """Rename a file; 409 where there is one of that name."""
        if parts_of(old_path) == parts_of(new_path):
            return
        self._require_shown(old_path)
        self._require_shown(new_path)
        await self._record(f"# rename {old_path}\n# to {new_path}")
        await self._do(self._files.rename, old_path, new_path)

    async def copy(self, from_path: str, to_path: str | None = None) -> Any:
        """A copy of a file under a new name; folders are not copied."""
        if await self.dir_exists(from_path):
            raise HTTPError(400, "A folder is not copied")
        return await super(AsyncFileContentsManager, self).copy(from_path, to_path)

    async def dir_exists(self, path: str) -> bool:
        """True for a folder that no link leads to."""
        return await self._is(path, stat.S_ISDIR)

    async def file_exists(self, path: str) -> bool:
        """True for a regular file that no link leads to."""
        return await self._is(path, stat.S_ISREG)

    async def exists(self, path: str) -> bool:
        """True where there is anything of that name, a link too."""
        return await self._is(path, lambda _: True)

    async def is_hidden(self, path: str) -> bool:
        """True when a part of the path begins with a dot."""
        return any(part.startswith(".") for part in path.split("/"))

    def is_writable(self, path: str) -> bool:
        """True: the home is the researcher's."""
        return True

    def resolve_path(self, path: str) -> str | None:
        """None: no path of the machine is turned into one of the home."""
        return None

    async def _fill(self, model: dict[str, Any], path: str, is_notebook: bool, form: str | None) -> None:
        """Read a file into its model, once."""
        ending = Path(path).suffix.lower()
        most = MOST_NOTEBOOK if is_notebook else PICTURES.get(ending, MOST_TEXT)
        if model["size"] > most:
            raise _refusal(Text.of("workspace-contents.too-large", size=model["size"] >> 10, most=most >> 10))
        if form == "base64" and ending not in PICTURES:
            raise _refusal(Text.of("workspace-contents.not-shown"))
        data, _ = await self._do(self._files.read, path, most)
        if is_notebook:
            try:
                notebook = nbformat.reads(data.decode(), as_version=4)  # type: ignore[no-untyped-call]
            except Exception as error:  # the library raises errors of many kinds
                raise HTTPError(400, f"Unreadable Notebook: {path}") from error
            self.mark_trusted_cells(notebook, path)
            model |= {"content": notebooks.clean(notebook), "format": "json"}
            self.validate_notebook_model(model, {})
            return
        if ending not in PICTURES and b"\0" in data:
            raise _refusal(Text.of("workspace-contents.not-text"))
        if ending == ".svg":
            drawn = pictures.drawing(data.decode("utf-8", "replace"))
            if drawn is None:
                raise _refusal(Text.of("workspace-contents.not-a-drawing"))
            data = drawn.encode()
        model |= _as_text(data, form) if ending not in PICTURES or ending == ".svg" else _as_base64(data)

    async def _folder_model(self, path: str, status: os.stat_result, content: bool) -> dict[str, Any]:
        model = _model(path, status, "directory") | {"size": None}
        if content:
            shown = [each for each in await self._do(self._files.names, path) if self._is_listed(each[0])]
            model |= {"format": "json", "content": [_listed(path, name, each) for name, each in shown]}
        return model

    @property
    def _listings(self) -> dict[str, str]:
        """The digest of what was recorded last of each folder's listing and each file's status, by its place."""
        digests: dict[str, str] = self.__dict__.setdefault("_digests_of_listings", {})
        return digests

    def _is_listed(self, name: str) -> bool:
        return bool(self.should_list(name)) and (self.allow_hidden or not name.startswith("."))

    def _require_shown(self, path: str) -> None:
        if not self.allow_hidden and any(part.startswith(".") for part in path.split("/")):
            raise HTTPError(400, f"Hidden: {path}")

    async def _is(self, path: str, kind: Callable[[int], bool]) -> bool:
        try:
            return kind((await run_sync(self._files.status, path)).st_mode)
        except OSError:
            return False

    async def _record(self, text: str) -> None:
        """Record what a browser changes as a cell, before it is changed; 503 when it cannot be recorded."""
        try:
            await run_sync(gateway_reports.report_cell, "contents", text)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise HTTPError(503, str(error)) from error

    async def _do(self, act: Callable[..., Value], *args: Any) -> Value:
        """Do it in a thread; an OSError becomes the refusal that a browser understands."""
        try:
            return await run_sync(act, *args)
        except OSError as error:
            code = _CODES.get(error.errno or 0, 403)
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise _refusal(Text.of("workspace-contents.link-outside")) from error
            raise HTTPError(code, f"{os.strerror(error.errno or 0)}: {args[0]}") from error


def _refusal(why: Text) -> HTTPError:
    """A refusal (403) in the language of the workspace."""
    return HTTPError(403, why.render(language_here()))


def _model(path: str, status: os.stat_result, kind: str) -> dict[str, Any]:
    """A model without content, as Jupyter Server describes files."""
    path = "/".join(parts_of(path))
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "type": kind,
        "last_modified": _moment(status.st_mtime),
        "created": _moment(status.st_ctime),
        "content": None,
        "format": None,
        "mimetype": mimetypes.guess_type(path)[0] if kind == "file" else None,
        "size": status.st_size,
        "writable": True,
        "hash": None,
        "hash_algorithm": None,
    }


def _listed(folder: str, name: str, status: os.stat_result) -> dict[str, Any]:
    if stat.S_ISDIR(status.st_mode):
        return _model(f"{folder}/{name}", status, "directory") | {"size": None}
    return _model(f"{folder}/{name}", status, "notebook" if name.endswith(".ipynb") else "file")


def _moment(seconds: float) -> datetime:
    """A time of a file; a kernel can set any."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime(1970, 1, 1, tzinfo=UTC)


def _as_text(data: bytes, form: str | None) -> dict[str, Any]:
    if form == "base64":
        return _as_base64(data)
    try:
        return {"content": data.decode(), "format": "text"}
    except UnicodeDecodeError as error:
        raise _refusal(Text.of("workspace-contents.not-text")) from error


def _as_base64(data: bytes) -> dict[str, Any]:
    return {"content": base64.b64encode(data).decode("ascii"), "format": "base64"}


def _bytes_of(model: dict[str, Any]) -> bytes:
    """The bytes that a browser saves; raises HTTPError 400 for what is no notebook, text or base64."""
    content = model["content"]
    try:
        if model["type"] == "notebook":
            notebook = nbformat.from_dict(content)  # type: ignore[no-untyped-call]
            return str(nbformat.writes(notebook, version=nbformat.NO_CONVERT)).encode()  # type: ignore[no-untyped-call]
        if model.get("format") == "base64":
            return base64.b64decode(content, validate=True)
        return str(content).encode()
    except (binascii.Error, ValueError, TypeError, AttributeError, KeyError, json.JSONDecodeError) as error:
        raise HTTPError(400, f"The content cannot be read: {type(error).__name__}") from error
