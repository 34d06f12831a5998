"""The kind of a file (格式识别), by its content; the file extension must agree. Files of unknown kinds are refused."""

from __future__ import annotations

import json
import re
import unicodedata
from enum import StrEnum
from typing import Any

from lab.airlock.issue import Issue, fail


class FileKind(StrEnum):
    """The kinds of file that may leave."""

    TABLE = "table"  # delimited text
    JSON = "json"
    PARQUET = "parquet"
    PNG = "png"
    JPEG = "jpeg"
    SVG = "svg"
    NOTEBOOK = "notebook"
    MODEL = "model"  # LightGBM's text
    VERSION = "version"  # the id of a promoted version on the shelf
    TEXT = "text"


ENDINGS = {
    FileKind.TABLE: ("csv", "tsv", "txt", "tab"),
    FileKind.JSON: ("json",),
    FileKind.PARQUET: ("parquet", "pq"),
    FileKind.PNG: ("png",),
    FileKind.JPEG: ("jpg", "jpeg"),
    FileKind.SVG: ("svg",),
    FileKind.NOTEBOOK: ("ipynb",),
    FileKind.MODEL: ("txt", "model", "lgb"),
    FileKind.VERSION: ("json",),
    FileKind.TEXT: ("txt", "md", "py", "sql", "r", "yaml", "yml", "toml", "log", "tex", "rst"),
}
_TABLE = "Save the table as CSV: df.to_csv(path, index=False)"
_PICTURE = "Save the figure as PNG or SVG: plt.savefig('figure.png')"
_MODEL = "Train with lab.train and carry out the promoted version, or save LightGBM's text: booster.save_model(path)"
_UNPACK = "Put the files themselves into the parcel: it holds several"
_REFUSED_FORMATS = (  # first bytes, name of the format, fix
    (b"PK\x03\x04", "a ZIP (also XLSX, DOCX, NPZ, PyTorch)", f"{_UNPACK}. For a workbook: {_TABLE}"),
    (b"PK\x05\x06", "an empty ZIP", _UNPACK),
    (b"\xd0\xcf\x11\xe0", "an old Office document", _TABLE),
    (b"%PDF", "a PDF", _PICTURE),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ", "an xz archive", _UNPACK),
    (b"7z\xbc\xaf", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (b"GIF8", "a GIF", _PICTURE),
    (b"BM", "a bitmap", _PICTURE),
    (b"II*\x00", "a TIFF", _PICTURE),
    (b"MM\x00*", "a TIFF", _PICTURE),
    (b"RIFF", "a RIFF (WebP, sound)", _PICTURE),
    (b"\x93NUMPY", "a NumPy array", _TABLE),
    (b"ARROW1", "an Arrow file", _TABLE),
    (b"\x89HDF", "an HDF5 file", _TABLE),
    (b"SQLite format 3", "an SQLite database", _TABLE),
    (b"\x7fELF", "a program", "A program does not leave; its source does"),
    (b"x\x9c", "zlib data (joblib)", _MODEL),
    (b"x\x01", "zlib data (joblib)", _MODEL),
    (b"\x08", "protocol buffers (ONNX)", _MODEL),
)
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_VERSION = re.compile(r'\s*\{\s*"version"\s*:\s*"version-[0-9a-f]{64}"\s*\}\s*')


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
    if ending not in ENDINGS[kind] and not (kind is FileKind.TABLE and ending in ENDINGS[FileKind.TEXT]):
        endings = ", ".join(f".{each}" for each in ENDINGS[kind])
        return fail(f"its content is {kind} and its name does not say so", f"Let its name end in {endings}", kind=kind)
    return kind


def _kind_of_binary(content: bytes) -> FileKind | Issue | None:
    if not content:
        return fail("it is empty", "Take it out of the parcel")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return FileKind.PNG
    if content.startswith(b"\xff\xd8\xff"):
        return FileKind.JPEG
    if content.startswith(b"PAR1"):
        return FileKind.PARQUET
    if content[:1] == b"\x80" and content[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return fail("it is a pickle, which is code", _MODEL)
    for start, what, fix in _REFUSED_FORMATS:
        if content.startswith(start) and not (len(start) < 3 and _is_text(content)):
            return fail(f"it is {what}, which cannot be looked into safely", fix)
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
        return fail("it is neither a known format nor UTF-8 text", f"Save text as UTF-8. {_TABLE}. {_PICTURE}")
    if _CONTROL_CHARACTERS.search(text):
        return fail("it is text with control characters in it", "Save it as plain UTF-8 text")
    start = text.lstrip()[:2000]
    if re.match(
        r"(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?(<!--.*?-->\s*)*<(svg:)?svg\b", start, re.S
    ):
        return FileKind.SVG
    if re.match(r"<(!doctype|html|\?xml|script|body|head|table|div)\b", start, re.I):
        return fail("it is HTML or XML, which can hold scripts", f"{_TABLE}. {_PICTURE}")
    if re.match(r"tree\r?\nversion=", text):
        return FileKind.MODEL
    return _kind_of_json(text) if start[:1] in ("{", "[") else FileKind.TEXT


def _kind_of_json(text: str) -> FileKind:
    if _VERSION.fullmatch(text):
        return FileKind.VERSION
    try:
        parsed: Any = json.loads(text)
    except (ValueError, RecursionError):
        return FileKind.TEXT
    return FileKind.NOTEBOOK if isinstance(parsed, dict) and "nbformat" in parsed else FileKind.JSON


def name_problem(name: str, longest: int) -> str:
    """What is wrong with a file name (a path, a Unicode trick, too long); empty when nothing is wrong."""
    if not name or len(name) > longest:
        return f"its name is empty or longer than {longest} characters"
    if name != unicodedata.normalize("NFC", name):
        return "its name is not in Unicode's normal form (NFC)"
    if not re.fullmatch(r"[\w][\w. ()-]*", name) or not all(_is_allowed_character(char) for char in name):
        return "its name holds a character that is no letter, digit, dot, dash, bracket or blank: a folder, or a trick"
    if ".." in name or name.endswith((".", " ")) or name.lower() == "manifest.json":
        return "its name is one that means something else to a machine"
    return ""


def _is_allowed_character(char: str) -> bool:
    """True for ASCII and Chinese characters; letters of other scripts can imitate ASCII letters."""
    return char.isascii() or "\u4e00" <= char <= "\u9fff"
