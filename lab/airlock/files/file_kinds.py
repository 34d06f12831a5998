"""The kind of a file (格式识别), by its content; the file extension must agree. Files of unknown kinds are refused."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Any

from credit.messages import Text
from lab.airlock.characters import is_allowed, one_spelling
from lab.airlock.issue import Issue, fail


class FileKind(StrEnum):
    """The kinds of file that may leave."""

    TABLE = "table"  # delimited text
    JSON = "json"
    PARQUET = "parquet"
    PNG = "png"
    JPEG = "jpeg"
    NOTEBOOK = "notebook"
    MODEL = "model"  # LightGBM's text: of a copy that leaves, and refused where it is submitted
    VERSION = "version"  # the name of a version or run on the shelf
    TEXT = "text"  # prose: Markdown and plain text
    PYTHON = "python"
    SQL = "sql"


ENDINGS = {
    FileKind.TABLE: ("csv", "tsv", "txt", "tab"),
    FileKind.JSON: ("json",),
    FileKind.PARQUET: ("parquet", "pq"),
    FileKind.PNG: ("png",),
    FileKind.JPEG: ("jpg", "jpeg"),
    FileKind.NOTEBOOK: ("ipynb",),
    FileKind.MODEL: ("txt", "model", "lgb"),
    FileKind.VERSION: ("json",),
    FileKind.TEXT: ("txt", "md"),
    FileKind.PYTHON: ("py",),
    FileKind.SQL: ("sql",),
}
_CODE = {"py": FileKind.PYTHON, "sql": FileKind.SQL}
_TABLE = Text.of("airlock.save-as-csv")
_PICTURE = Text.of("airlock.save-as-png")
_MODEL = Text.of("airlock.train-with-lab")
_UNPACK = Text.of("airlock.unpack")
_REFUSED_FORMATS = (  # first bytes, name of the format, fix
    (b"PK\x03\x04", Text.of("airlock.kind-zip"), Text.of("airlock.unpack-workbook", unpack=_UNPACK, table=_TABLE)),
    (b"PK\x05\x06", Text.of("airlock.kind-empty-zip"), _UNPACK),
    (b"\xd0\xcf\x11\xe0", Text.of("airlock.kind-office"), _TABLE),
    (b"%PDF", Text.of("airlock.kind-pdf"), _PICTURE),
    (b"\x1f\x8b", Text.of("airlock.kind-gzip"), _UNPACK),
    (b"BZh", Text.of("airlock.kind-bzip2"), _UNPACK),
    (b"\xfd7zXZ", Text.of("airlock.kind-xz"), _UNPACK),
    (b"7z\xbc\xaf", Text.of("airlock.kind-7zip"), _UNPACK),
    (b"Rar!", Text.of("airlock.kind-rar"), _UNPACK),
    (b"\x28\xb5\x2f\xfd", Text.of("airlock.kind-zstd"), _UNPACK),
    (b"GIF8", Text.of("airlock.kind-gif"), _PICTURE),
    (b"BM", Text.of("airlock.kind-bitmap"), _PICTURE),
    (b"II*\x00", Text.of("airlock.kind-tiff"), _PICTURE),
    (b"MM\x00*", Text.of("airlock.kind-tiff"), _PICTURE),
    (b"RIFF", Text.of("airlock.kind-riff"), _PICTURE),
    (b"\x93NUMPY", Text.of("airlock.kind-numpy"), _TABLE),
    (b"ARROW1", Text.of("airlock.kind-arrow"), _TABLE),
    (b"\x89HDF", Text.of("airlock.kind-hdf5"), _TABLE),
    (b"SQLite format 3", Text.of("airlock.kind-sqlite"), _TABLE),
    (b"\x7fELF", Text.of("airlock.kind-program"), Text.of("airlock.program-fix")),
    (b"x\x9c", Text.of("airlock.kind-zlib"), _MODEL),
    (b"x\x01", Text.of("airlock.kind-zlib"), _MODEL),
    (b"\x08", Text.of("airlock.kind-protobuf"), _MODEL),
)
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def detect_kind(name: str, content: bytes) -> FileKind | Issue:
    """The kind of a file by its content, or the issue that keeps it from leaving."""
    kind = _kind_of_binary(content) or _kind_of_text(content)
    if isinstance(kind, Issue):
        return kind
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if kind is FileKind.TEXT and ending in ENDINGS[FileKind.TABLE]:
        kind = FileKind.TABLE if ending != "txt" else FileKind.TEXT  # a table of one column has no delimiter
    if kind is FileKind.JSON and ending not in ENDINGS[FileKind.JSON]:
        kind = FileKind.TEXT  # a line of Python may also be JSON
    if kind is FileKind.TEXT:
        kind = _CODE.get(ending, kind)
    if ending not in ENDINGS[kind] and not (kind is FileKind.TABLE and ending in ENDINGS[FileKind.TEXT]):
        endings = ", ".join(f".{each}" for each in ENDINGS[kind])
        return fail(
            Text.of("airlock.name-of-kind", kind=kind), Text.of("airlock.name-of-kind-fix", endings=endings), kind=kind
        )
    return kind


def _kind_of_binary(content: bytes) -> FileKind | Issue | None:
    if not content:
        return fail(Text.of("airlock.empty"), Text.of("airlock.empty-fix"))
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return FileKind.PNG
    if content.startswith(b"\xff\xd8\xff"):
        return FileKind.JPEG
    if content.startswith(b"PAR1"):
        return FileKind.PARQUET
    if content[:1] == b"\x80" and content[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return fail(Text.of("airlock.pickle"), _MODEL)
    for start, what, fix in _REFUSED_FORMATS:
        if content.startswith(start) and not (len(start) < 3 and _is_text(content)):
            return fail(Text.of("airlock.opaque", what=what), fix)
    return None


def _is_text(content: bytes) -> bool:
    try:
        return not _CONTROL_CHARACTERS.search(content.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _kind_of_text(content: bytes) -> FileKind | Issue:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return fail(Text.of("airlock.unknown-format"), Text.of("airlock.save-as-utf8", table=_TABLE, picture=_PICTURE))
    if _CONTROL_CHARACTERS.search(text):
        return fail(Text.of("airlock.control-characters"), Text.of("airlock.control-characters-fix"))
    start = text.lstrip()[:2000]
    if re.match(
        r"(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?(<!--.*?-->\s*)*<(svg:)?svg\b", start, re.S
    ):
        return fail(Text.of("airlock.svg-refused"), Text.of("airlock.save-figure-png"))
    if re.match(r"<(!doctype|html|\?xml|script|body|head|table|div)\b", start, re.I):
        return fail(Text.of("airlock.markup"), Text.of("airlock.table-or-picture", table=_TABLE, picture=_PICTURE))
    if re.match(r"tree\r?\n(version|copy_of)=", text):
        return FileKind.MODEL
    return _kind_of_json(text) if start[:1] in ("{", "[") else FileKind.TEXT


def _kind_of_json(text: str) -> FileKind:
    try:
        parsed: Any = json.loads(text)
    except (ValueError, RecursionError):
        return FileKind.TEXT
    if isinstance(parsed, dict) and parsed.keys() & {"version", "run"} and parsed.keys() <= {"version", "run", "copy"}:
        return FileKind.VERSION
    return FileKind.NOTEBOOK if isinstance(parsed, dict) and "nbformat" in parsed else FileKind.JSON


def name_problem(name: str, longest: int) -> Text | None:
    """What is wrong with a file name (a path, a Unicode trick, too long); None when nothing is wrong."""
    if not name or len(name) > longest:
        return Text.of("airlock.name-length", limit=longest)
    if name != one_spelling(name):  # two blanks, too, which a page shows as one
        return Text.of("airlock.name-form")
    if not re.fullmatch(r"[\w][\w. ()-]*", name) or not all(map(is_allowed, name)):
        return Text.of("airlock.name-characters")
    if ".." in name or name.endswith((".", " ")) or name.lower() == "manifest.json":
        return Text.of("airlock.name-reserved")
    return None
