"""The typeface of a document: Noto Sans SC, of which the document carries the characters it uses and no others.

The font is a package of the service's extra, so no machine's fonts matter. It holds GB 2312, the characters of GBK,
extension A, and those beyond that the table of general characters (通用规范汉字表) names: GB 18030's level 2. It is one
file for all weights; HarfBuzz cuts the regular one for some hundred characters in a few milliseconds, reading no more.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from credit.errors import Lapsed

PACKAGE, FILE = "textflowkit_fonts", "fonts/NotoSansSC.ttf"
NAME, WEIGHT = "NotoSansSC-Regular", 400
SUBSTITUTE = "〓"  # what printers set for a character they have no type of
_UNUSED = ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "vhea", "vmtx", "gasp")  # a PDF places every glyph itself
_VARIANTS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # they ask for another form of the character before


class NoTypeface(Lapsed):
    """The font is not installed (HTTP 503): a document without one would be blank for whoever has none either."""

    slug = "no-typeface"

    def __init__(self) -> None:
        super().__init__('typeface.no-pdf-can-be-drawn', package=PACKAGE.replace('_', '-'))  # fmt: skip


def font_path() -> Path:
    """The font's file. Raises NoTypeface when it, or what reads it, is not installed; imports neither."""
    found = importlib.util.find_spec(PACKAGE)
    if found is not None and found.origin is not None and importlib.util.find_spec("uharfbuzz") is not None:
        file = Path(found.origin).parent / FILE
        if file.is_file():
            return file
    raise NoTypeface()


def font_fault() -> str | None:
    """Why no PDF can be drawn, or None."""
    try:
        font_path()
    except NoTypeface as none:
        return str(none)
    return None


def with_substitutes(text: str) -> str:
    """The text with 〓 and the code point where the font has no glyph, so a rare name is neither blank nor wrong."""
    known = _face()[1]
    plain = _VARIANTS.sub("", text)
    return plain if known.issuperset(plain) else "".join(c if c in known else code_point_text(c) for c in plain)


def code_point_text(character: str) -> str:
    """How a character that cannot be shown is told."""
    return f"{SUBSTITUTE}[U+{ord(character):04X}]"


def font_subset(characters: Iterable[str]) -> BytesIO:
    """A TrueType file of these characters in the regular weight. The same characters make the same bytes."""
    import uharfbuzz  # type: ignore[import-untyped]

    wanted = uharfbuzz.SubsetInput()
    wanted.unicode_set.update(map(ord, characters))
    wanted.name_id_set.clear()
    wanted.name_id_set.add(6)  # its PostScript name, without which it is no font to reportlab
    wanted.drop_table_tag_set.update(int.from_bytes(tag.encode(), "big") for tag in _UNUSED)
    face = _face()[0]
    wanted.pin_axis_location(face, "wght", WEIGHT)
    return BytesIO(uharfbuzz.subset(face, wanted).blob.data)


@cache
def _face() -> tuple[Any, frozenset[str]]:
    """The font, mapped and not read, and the characters it has: three milliseconds, once in a process."""
    file = font_path()
    import uharfbuzz

    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(file)))
    return face, frozenset(map(chr, face.unicodes))
