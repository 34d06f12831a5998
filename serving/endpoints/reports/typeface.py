"""The font of a PDF report: Noto Sans SC, of which each document embeds only the characters that it uses.

The font is a package of the service's extra, so the machine's own fonts do not matter. It covers GB 2312, GBK,
extension A, and the further characters of the Table of General Standard Chinese Characters (通用规范汉字表): that is
implementation level 2 of GB 18030. One file holds all weights; HarfBuzz cuts the regular weight of some hundred
characters in a few milliseconds and reads no more than it needs.
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
SUBSTITUTE = "〓"  # the geta mark (U+3013), which printers use for a character that they lack
_UNUSED = ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "vhea", "vmtx", "gasp")  # a PDF positions every glyph itself
_VARIATION_SELECTORS = re.compile(
    "[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)  # variation selectors request another form of the preceding character


class NoTypeface(Lapsed):
    """The font is not installed (HTTP 503).

    Without an embedded font a document would be blank on machines that lack it.
    """

    slug = "no-typeface"

    def __init__(self) -> None:
        super().__init__("typeface.no-pdf-can-be-drawn", package=PACKAGE.replace("_", "-"))


def font_path() -> Path:
    """The font's file. Raises NoTypeface when the font or HarfBuzz is not installed; imports neither."""
    package = importlib.util.find_spec(PACKAGE)
    if package is not None and package.origin is not None and importlib.util.find_spec("uharfbuzz") is not None:
        file = Path(package.origin).parent / FILE
        if file.is_file():
            return file
    raise NoTypeface()


def font_fault() -> str | None:
    """The reason why no PDF can be drawn, or None."""
    try:
        font_path()
    except NoTypeface as error:
        return str(error)
    return None


def with_substitutes(text: str) -> str:
    """The text with 〓 and the code point for each character without a glyph, so a rare name is neither
    blank nor wrong.
    """
    glyphs = _face()[1]
    base = _VARIATION_SELECTORS.sub("", text)
    return (
        base
        if glyphs.issuperset(base)
        else "".join(character if character in glyphs else code_point_text(character) for character in base)
    )


def code_point_text(character: str) -> str:
    """The text shown for a character that the font lacks."""
    return f"{SUBSTITUTE}[U+{ord(character):04X}]"


def font_subset(characters: Iterable[str]) -> BytesIO:
    """A TrueType file of these characters in the regular weight. The same characters give the same bytes."""
    import uharfbuzz  # type: ignore[import-untyped]

    subset = uharfbuzz.SubsetInput()
    subset.unicode_set.update(map(ord, characters))
    subset.name_id_set.clear()
    subset.name_id_set.add(6)  # its PostScript name, which reportlab requires
    subset.drop_table_tag_set.update(int.from_bytes(tag.encode(), "big") for tag in _UNUSED)
    face = _face()[0]
    subset.pin_axis_location(face, "wght", WEIGHT)
    return BytesIO(uharfbuzz.subset(face, subset).blob.data)


@cache
def _face() -> tuple[Any, frozenset[str]]:
    """The font, memory-mapped, and the characters that it has: three milliseconds, once per process."""
    file = font_path()
    import uharfbuzz

    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(file)))
    return face, frozenset(map(chr, face.unicodes))
