"""The parts of a PNG or JPEG file (图片文件结构): every chunk and segment is one that holds what the picture shows.

A decoder skips content that it does not show, and such content could hide a table. A file with any is refused by name.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from credit.messages import Text
from lab.airlock.issue import Issue, fail
from lab.airlock.thresholds import Thresholds

_ALLOWED_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"pHYs", b"sRGB", b"gAMA", b"cHRM", b"sBIT", b"bKGD"}
_CHUNK_SIZES = {b"pHYs": 9, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32, b"sBIT": 4, b"bKGD": 6}
_AGAIN = Text.of("airlock.save-figure-png")


def png_issues(content: bytes, t: Thresholds) -> Iterator[Issue]:
    """What a PNG (ISO/IEC 15948) holds beside its picture, chunk by chunk."""
    position, packed, names = 8, [], []
    while position < len(content):
        if position + 12 > len(content):
            yield fail(Text.of("airlock.chunk-cut"), _AGAIN)
            return
        size, name = struct.unpack(">I4s", content[position : position + 8])
        data = content[position + 8 : position + 8 + size]
        if len(data) < size or content[position + 8 + size : position + 12 + size] != _crc(name, data):
            yield fail(Text.of("airlock.chunk-damaged"), _AGAIN)
            return
        position += size + 12
        names.append(name)
        packed += [data] if name == b"IDAT" else []
        if name not in _ALLOWED_CHUNKS and not (name == b"tEXt" and _names_plotting_library(data)):
            yield fail(
                Text.of("airlock.chunk-hidden", name=name.decode("ascii", "replace"), size=size), _AGAIN, bytes=size
            )
        elif size > _CHUNK_SIZES.get(name, size):
            yield fail(Text.of("airlock.chunk-large", name=name.decode()), _AGAIN, bytes=size)
        if name == b"IEND":
            break
    if names[:1] != [b"IHDR"] or names[-1:] != [b"IEND"] or names.count(b"IHDR") != 1:
        yield fail(Text.of("airlock.chunks-wrong"), _AGAIN)
        return
    if position < len(content) or content[position - 12 : position - 8] != b"\0\0\0\0":
        yield fail(Text.of("airlock.after-end", size=len(content) - position), _AGAIN, bytes=len(content) - position)
    yield from _packed_pixels(content, b"".join(packed), t)


def _packed_pixels(content: bytes, packed: bytes, t: Thresholds) -> Iterator[Issue]:
    """The compressed data unpacks to exactly the pixels of the picture."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", content[16:29])
    if not 0 < width * height <= t["pixels_at_most"]:
        yield fail(Text.of("airlock.too-many-pixels", width=width, height=height), Text.of("airlock.smaller-picture"))
        return
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 4)
    expected = height * (1 + (width * bits + 7) // 8)
    maximum = expected + (8 * (width + height) * 2 if interlaced else 0)  # the seven passes have more row filters
    unpacker = zlib.decompressobj()
    try:
        pixels = unpacker.decompress(packed, maximum + 1)
    except zlib.error:
        yield fail(Text.of("airlock.pixels-damaged"), _AGAIN)
        return
    if len(pixels) > maximum or unpacker.unused_data or unpacker.unconsumed_tail:
        yield fail(Text.of("airlock.packed-more"), _AGAIN)


def _crc(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(name + data))


def _names_plotting_library(data: bytes) -> bool:
    """True for the text chunk in which Matplotlib names itself; it is removed as well."""
    name, _, value = data.partition(b"\0")
    return name == b"Software" and len(value) <= 80 and value.startswith((b"Matplotlib version", b"matplotlib"))


def jpeg_issues(content: bytes, t: Thresholds) -> Iterator[Issue]:
    """What a JPEG (ISO/IEC 10918-1) holds beside its picture, segment by segment."""
    position, scanned = 2, False
    while position + 4 <= len(content):
        if content[position] != 0xFF:
            yield fail(Text.of("airlock.segment-missing"), _AGAIN)
            return
        marker = content[position + 1]
        if marker == 0xD9:
            break
        size = struct.unpack(">H", content[position + 2 : position + 4])[0]
        if size < 2 or position + 2 + size > len(content):
            yield fail(Text.of("airlock.segment-cut"), _AGAIN)
            return
        segment = content[position + 4 : position + 2 + size]
        harmless = (marker == 0xE0 and segment[:5] == b"JFIF\0" and size == 16) or (marker == 0xEE and size == 14)
        if (0xE0 <= marker <= 0xEF and not harmless) or marker == 0xFE:
            what = (
                "EXIF"
                if segment[:4] == b"Exif"
                else Text.of("airlock.comment")
                if marker == 0xFE
                else f"APP{marker - 0xE0}"
            )
            yield fail(Text.of("airlock.segment-hidden", what=what, size=size), _AGAIN, bytes=size)
        position += 2 + size
        if marker == 0xDA:
            scanned = True
            position = _after_scan(content, position)
    if not scanned or content[position : position + 2] != b"\xff\xd9":
        yield fail(Text.of("airlock.no-end"), _AGAIN)
    elif position + 2 < len(content):
        yield fail(
            Text.of("airlock.after-end", size=len(content) - position - 2), _AGAIN, bytes=len(content) - position - 2
        )


def _after_scan(content: bytes, position: int) -> int:
    """The end of the compressed pixels: the first marker that is neither stuffing nor a restart marker."""
    while (position := content.find(b"\xff", position)) >= 0 and position + 1 < len(content):
        if content[position + 1] != 0 and not 0xD0 <= content[position + 1] <= 0xD7:
            return position
        position += 2
    return len(content)
