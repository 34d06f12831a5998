"""What makes a PDF one for an archive (PDF/A-2u, ISO 19005-2): it says what it is, what its colours and its characters
mean, and needs nothing from outside. That its font is within is `typeface`'s part.

The date in it is the report's day in China: a document is the same whenever and wherever it is drawn.
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
    """Make the document of a reportlab canvas say, when it is written, all that an archive asks of it."""
    document = canvas._doc  # no other way to its catalogue
    canvas.setDateFormatter(lambda *_: f"D:{day:%Y%m%d}000000+08'00'")

    def xmp(_: Any) -> bytes:
        names = ("title", "subject", "author", "creator", "producer")
        told = {name: escape(str(getattr(document.info, name))) for name in names}
        return _XMP.format(day=day, **told).encode()

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


def _ended(stream: Any, document: Any) -> bytes:
    """A stream as reportlab writes it, with the end of line before `endstream` that PDF/A asks for (6.1.7.1)."""
    told: bytes = _written(stream, document)
    return told.removesuffix(b"endstream\n") + b"\nendstream\n"


def unicode_map(name: str, codes: list[int]) -> str:
    """The map from the places in a font of `codes` to Unicode (a ToUnicode CMap), for whoever searches or copies.

    reportlab's own cannot tell a character beyond U+FFFF, and says more in one block than the hundred a block may hold.
    """
    pairs = [f"<{at:02X}> <{chr(code).encode('utf-16-be').hex().upper()}>" for at, code in enumerate(codes) if code]
    blocks = [pairs[at : at + 100] for at in range(0, len(pairs), 100)]
    told = [line for block in blocks for line in (f"{len(block)} beginbfchar", *block, "endbfchar")]
    return "\n".join((
        "/CIDInit /ProcSet findresource begin", "12 dict begin", "begincmap",
        f"/CIDSystemInfo << /Registry ({name}) /Ordering ({name}) /Supplement 0 >> def",
        f"/CMapName /{name} def", "/CMapType 2 def", "1 begincodespacerange", "<00> <FF>", "endcodespacerange",
        *told, "endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end",
    ))  # fmt: skip


# The process that draws reports does nothing else, so what it writes may be mended where it is written.
_written, pdfdoc.PDFStream.format = pdfdoc.PDFStream.format, _ended
ttfonts.makeToUnicodeCMap = unicode_map


def srgb() -> bytes:
    """The colour profile of sRGB (ICC.1:2004-10, a display's, by matrix and curve), of IEC 61966-2-1's numbers."""
    curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    tags = {
        b"desc": _words("sRGB"), b"cprt": _words("No rights reserved"), b"wtpt": _xyz(0.9642, 1.0, 0.8249),
        b"chad": b"sf32\0\0\0\0" + _fixed(1.04788, 0.02292, -0.05022, 0.02959, 0.99048, -0.01707, -0.00925, 0.01508,
                                           0.75168),
        b"rXYZ": _xyz(0.43607, 0.22249, 0.01392), b"gXYZ": _xyz(0.38515, 0.71687, 0.09708),
        b"bXYZ": _xyz(0.14307, 0.06061, 0.71410), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
    }  # fmt: skip
    table, body, places = struct.pack(">I", len(tags)), b"", dict[bytes, int]()
    start = 128 + 4 + 12 * len(tags)
    for name, told in tags.items():
        if told not in places:
            places[told] = start + len(body)
            body += told + bytes(-len(told) % 4)
        table += name + struct.pack(">II", places[told], len(told))
    size = start + len(body)
    head = struct.pack(">I4xI12s", size, 0x04200000, b"mntrRGB XYZ ") + struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    head += b"acsp" + bytes(28) + _fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + table + body


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def _xyz(*numbers: float) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*numbers)


def _words(text: str) -> bytes:
    told = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(told), 28) + told
