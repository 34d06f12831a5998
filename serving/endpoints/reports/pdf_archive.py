"""What makes a PDF archivable (PDF/A-2u, ISO 19005-2): its metadata, its colour profile and its map to Unicode.

The font is embedded by `typeface`. The date in the document is the report's day in China, so a document has the same
bytes whenever and wherever it is drawn.
"""

from __future__ import annotations

import struct
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfdoc, ttfonts  # type: ignore[import-untyped]

VERSION = (1, 7)
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance><dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<xmp:CreatorTool>{creator}</xmp:CreatorTool><pdf:Producer>{producer}</pdf:Producer>
<pdf:Keywords></pdf:Keywords>
<xmp:CreateDate>{day}T00:00:00+08:00</xmp:CreateDate><xmp:ModifyDate>{day}T00:00:00+08:00</xmp:ModifyDate>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def make_archivable(canvas: Any, day: date) -> None:
    """Add to the document of a reportlab canvas the metadata, output intent and colour profile that PDF/A requires."""
    document = canvas._doc  # reportlab has no public access to the catalogue
    canvas.setDateFormatter(lambda *_: f"D:{day:%Y%m%d}000000+08'00'")

    def xmp(_: Any) -> bytes:
        names = ("title", "subject", "author", "creator", "producer")
        values = {name: escape(str(getattr(document.info, name))) for name in names}
        return _XMP.format(day=day, **values).encode()

    profile = pdfdoc.PDFStream(pdfdoc.PDFDictionary({"N": 3}), srgb(), filters=[pdfdoc.PDFZCompress])
    intent = pdfdoc.PDFDictionary({
        "Type": pdfdoc.PDFName("OutputIntent"), "S": pdfdoc.PDFName("GTS_PDFA1"),
        "OutputConditionIdentifier": pdfdoc.PDFString("sRGB IEC61966-2.1"), "Info": pdfdoc.PDFString("sRGB"),
        "DestOutputProfile": document.Reference(profile),
    })  # fmt: skip
    catalogue = document.Catalog
    catalogue.__NoDefault__ = [*catalogue.__NoDefault__, "OutputIntents"]
    catalogue.OutputIntents = pdfdoc.PDFArray([intent])
    catalogue.Metadata = pdfdoc.XMP(creator=xmp)


def _format_with_end_of_line(stream: Any, document: Any) -> bytes:
    """A stream as reportlab writes it, with the end of line before `endstream` that PDF/A requires (ISO
    19005-2, 6.1.7.1).
    """
    text: bytes = _format_of_reportlab(stream, document)
    return text.removesuffix(b"endstream\n") + b"\nendstream\n"


def unicode_map(name: str, codes: list[int]) -> str:
    """The map from a font's places of `codes` to Unicode (a ToUnicode CMap), for readers that search or copy text.

    reportlab's own map cannot hold a character beyond U+FFFF, and writes more than the hundred entries allowed per
    block.
    """
    pairs = [
        f"<{place:02X}> <{chr(code).encode('utf-16-be').hex().upper()}>" for place, code in enumerate(codes) if code
    ]
    blocks = [pairs[place : place + 100] for place in range(0, len(pairs), 100)]
    lines = [line for block in blocks for line in (f"{len(block)} beginbfchar", *block, "endbfchar")]
    return "\n".join(
        (
            "/CIDInit /ProcSet findresource begin",
            "12 dict begin",
            "begincmap",
            f"/CIDSystemInfo << /Registry ({name}) /Ordering ({name}) /Supplement 0 >> def",
            f"/CMapName /{name} def",
            "/CMapType 2 def",
            "1 begincodespacerange",
            "<00> <FF>",
            "endcodespacerange",
            *lines,
            "endcmap",
            "CMapName currentdict /CMap defineresource pop",
            "end",
            "end",
        )
    )


# The process that draws reports does nothing else, so reportlab's functions may be replaced in it.
_format_of_reportlab, pdfdoc.PDFStream.format = pdfdoc.PDFStream.format, _format_with_end_of_line
ttfonts.makeToUnicodeCMap = unicode_map


def srgb() -> bytes:
    """The colour profile of sRGB (ICC.1:2004-10, display class, by matrix and curve), with the values of
    IEC 61966-2-1.
    """
    curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    tags = {
        b"desc": _localised_text("sRGB"),
        b"cprt": _localised_text("No rights reserved"),
        b"wtpt": _xyz(0.9642, 1.0, 0.8249),
        b"chad": b"sf32\0\0\0\0"
        + _fixed(1.04788, 0.02292, -0.05022, 0.02959, 0.99048, -0.01707, -0.00925, 0.01508, 0.75168),
        b"rXYZ": _xyz(0.43607, 0.22249, 0.01392),
        b"gXYZ": _xyz(0.38515, 0.71687, 0.09708),
        b"bXYZ": _xyz(0.14307, 0.06061, 0.71410),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body, positions = struct.pack(">I", len(tags)), b"", dict[bytes, int]()
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        if data not in positions:
            positions[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", positions[data], len(data))
    size = start + len(body)
    head = struct.pack(">I4xI12s", size, 0x04200000, b"mntrRGB XYZ ") + struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    head += b"acsp" + bytes(28) + _fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + table + body


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def _xyz(*numbers: float) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*numbers)


def _localised_text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(data), 28) + data
