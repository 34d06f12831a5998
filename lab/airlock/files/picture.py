"""Bitmaps (位图): the file is read completely and redrawn from its pixels; only the redrawn picture leaves.

A PNG is checked chunk by chunk and a JPEG segment by segment, since a decoder skips content that it does not show, and
such content could hide a table. The lowest bits of pixels can also carry a message: the finding states how many bytes,
and reviewers decide.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from credit.gate import Finding
from credit.messages import Text
from lab.airlock.files.file_inspection import FileInspection
from lab.airlock.files.file_kinds import FileKind
from lab.airlock.issue import Issue, as_finding, fail, review, run_checks
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds

_ALLOWED_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"pHYs", b"sRGB", b"gAMA", b"cHRM", b"sBIT", b"bKGD"}
_CHUNK_SIZES = {b"pHYs": 9, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32, b"sBIT": 4, b"bKGD": 6}
_AGAIN = Text.of("airlock.save-figure-png")


def inspect_png(name: str, content: bytes, about: FileDescription, t: Thresholds) -> FileInspection:
    """Inspect a PNG (ISO/IEC 15948); the redrawn picture leaves, and every picture needs a review."""
    return _inspect(name, FileKind.PNG, content, list(_png(content, t)), t)


def inspect_jpeg(name: str, content: bytes, about: FileDescription, t: Thresholds) -> FileInspection:
    """Inspect a JPEG (ISO/IEC 10918-1); the redrawn picture leaves, and every picture needs a review."""
    return _inspect(name, FileKind.JPEG, content, list(_jpeg(content)), t)


_UNREADABLE = {  # the messages of issues after which the pixels are not read
    "airlock.chunk-cut",
    "airlock.chunk-damaged",
    "airlock.chunks-wrong",
    "airlock.too-many-pixels",
    "airlock.pixels-damaged",
    "airlock.segment-missing",
    "airlock.segment-cut",
    "airlock.no-end",
}


def _inspect(name: str, kind: FileKind, content: bytes, hidden: list[Issue], t: Thresholds) -> FileInspection:
    redrawn = None if any(each.why.id in _UNREADABLE for each in hidden) else _redraw(content, kind, t)
    if redrawn is None or isinstance(redrawn, Issue):
        hidden += [redrawn] if redrawn else []
        return FileInspection(kind, b"", tuple(as_finding("hidden content", name, each) for each in hidden))
    outgoing, capacity = redrawn
    needs_viewing = review(
        Text.of("airlock.picture-content"),
        Text.of("airlock.picture-content-fix"),
        bytes_given=len(content),
        bytes_carried=len(outgoing),
        low_bits_could_carry_bytes=capacity,
    )
    findings: list[Finding] = run_checks(name, hidden, (("hidden content", lambda case, _: iter(case)),), t)
    return FileInspection(kind, outgoing, (*findings, as_finding("what it shows", name, needs_viewing)))


def _redraw(content: bytes, kind: FileKind, t: Thresholds) -> tuple[bytes, int] | Issue:
    """The picture redrawn from its pixels, and the number of bytes that their lowest bits could carry."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG" if kind is FileKind.PNG else "JPEG",)) as opened:
            if opened.width * opened.height > t["pixels_at_most"] or getattr(opened, "n_frames", 1) != 1:
                return fail(Text.of("airlock.frames"), Text.of("airlock.smaller-picture"))
            modes = {"1": "L", "L": "L", "P": "RGBA", "LA": "RGBA", "RGBA": "RGBA"}
            mode = "RGB" if kind is FileKind.JPEG else modes.get(opened.mode, "RGB")
            pixels = opened.convert(mode)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning, EOFError):
        return fail(Text.of("airlock.pixels-unreadable"), _AGAIN)
    plain = Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())  # pixels only, without metadata
    sink = io.BytesIO()
    if kind is FileKind.PNG:
        plain.save(sink, "PNG", optimize=False)
    else:
        plain.save(sink, "JPEG", quality=90)
    return sink.getvalue(), plain.width * plain.height * len(plain.getbands()) // 8


def _png(content: bytes, t: Thresholds) -> Iterator[Issue]:
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


def _jpeg(content: bytes) -> Iterator[Issue]:
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
