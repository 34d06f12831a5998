"""What a file is (格式识别), by its content; its name's ending must agree. What is not known here does not leave."""

from __future__ import annotations

import json
import re
import unicodedata
from enum import StrEnum
from typing import Any

from lab.airlock.checks.trouble import Trouble, fail


class Kind(StrEnum):
    """Kinds of file that may leave."""

    TABLE = "table"  # delimited text
    JSON = "json"
    PARQUET = "parquet"
    PNG = "png"
    JPEG = "jpeg"
    SVG = "svg"
    NOTEBOOK = "notebook"
    MODEL = "model"  # LightGBM's text
    VERSION = "version"  # the name of a promoted version on the shelf
    TEXT = "text"


ENDINGS = {
    Kind.TABLE: ("csv", "tsv", "txt", "tab"),
    Kind.JSON: ("json",),
    Kind.PARQUET: ("parquet", "pq"),
    Kind.PNG: ("png",),
    Kind.JPEG: ("jpg", "jpeg"),
    Kind.SVG: ("svg",),
    Kind.NOTEBOOK: ("ipynb",),
    Kind.MODEL: ("txt", "model", "lgb"),
    Kind.VERSION: ("json",),
    Kind.TEXT: ("txt", "md", "py", "sql", "r", "yaml", "yml", "toml", "log", "tex", "rst"),
}
_TABLE = "Save the table as CSV: df.to_csv(path, index=False)"
_PICTURE = "Save the figure as PNG or SVG: plt.savefig('figure.png')"
_MODEL = "Train with lab.train and carry out the promoted version, or save LightGBM's text: booster.save_model(path)"
_UNPACK = "Put the files themselves into the parcel: it holds several"
_REFUSED = (  # how the bytes begin, what that is, the fix
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
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_VERSION = re.compile(r'\s*\{\s*"version"\s*:\s*"version-[0-9a-f]{64}"\s*\}\s*')


def kind_of(name: str, content: bytes) -> Kind | Trouble:
    """The kind of a file by its content, or why it may not leave."""
    found = _binary(content) or _textual(content)
    if isinstance(found, Trouble):
        return found
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if found is Kind.TEXT and ending in ENDINGS[Kind.TABLE]:
        found = Kind.TABLE if ending != "txt" else Kind.TEXT  # a table of one column has no delimiter to be told by
    if found is Kind.JSON and ending not in ENDINGS[Kind.JSON]:
        found = Kind.TEXT  # a line of Python may be JSON too
    if ending not in ENDINGS[found] and not (found is Kind.TABLE and ending in ENDINGS[Kind.TEXT]):
        endings = ", ".join(f".{each}" for each in ENDINGS[found])
        return fail(
            f"its content is {found} and its name does not say so", f"Let its name end in {endings}", kind=found
        )
    return found


def _binary(content: bytes) -> Kind | Trouble | None:
    if not content:
        return fail("it is empty", "Take it out of the parcel")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if content.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if content.startswith(b"PAR1"):
        return Kind.PARQUET
    if content[:1] == b"\x80" and content[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return fail("it is a pickle, which is code", _MODEL)
    for start, what, fix in _REFUSED:
        if content.startswith(start) and not (len(start) < 3 and _is_text(content)):
            return fail(f"it is {what}, which cannot be looked into safely", fix)
    return None


def _is_text(content: bytes) -> bool:
    try:
        return not _CONTROL.search(content.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _textual(content: bytes) -> Kind | Trouble:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return fail("it is neither a known format nor UTF-8 text", f"Save text as UTF-8. {_TABLE}. {_PICTURE}")
    if _CONTROL.search(text):
        return fail("it is text with control characters in it", "Save it as plain UTF-8 text")
    start = text.lstrip()[:2000]
    if re.match(
        r"(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?(<!--.*?-->\s*)*<(svg:)?svg\b", start, re.S
    ):
        return Kind.SVG
    if re.match(r"<(!doctype|html|\?xml|script|body|head|table|div)\b", start, re.I):
        return fail("it is HTML or XML, which can hold scripts", f"{_TABLE}. {_PICTURE}")
    if re.match(r"tree\r?\nversion=", text):
        return Kind.MODEL
    return _json(text) if start[:1] in ("{", "[") else Kind.TEXT


def _json(text: str) -> Kind:
    if _VERSION.fullmatch(text):
        return Kind.VERSION
    try:
        told: Any = json.loads(text)
    except (ValueError, RecursionError):
        return Kind.TEXT
    return Kind.NOTEBOOK if isinstance(told, dict) and "nbformat" in told else Kind.JSON


def name_trouble(name: str, longest: int) -> str:
    """What is wrong with a file's name, or nothing: a path, a trick of Unicode, or too long."""
    if not name or len(name) > longest:
        return f"its name is empty or longer than {longest} characters"
    if name != unicodedata.normalize("NFC", name):
        return "its name is not in Unicode's normal form (NFC)"
    if not re.fullmatch(r"[\w][\w. ()-]*", name) or not all(_plain(char) for char in name):
        return "its name holds a character that is no letter, digit, dot, dash, bracket or blank: a folder, or a trick"
    if ".." in name or name.endswith((".", " ")) or name.lower() == "manifest.json":
        return "its name is one that means something else to a machine"
    return ""


def _plain(char: str) -> bool:
    """ASCII and Chinese: letters of other scripts look like these and are not."""
    return char.isascii() or "\u4e00" <= char <= "\u9fff"
