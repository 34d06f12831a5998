"""The encoding of a text file: UTF-8, UTF-16 and GB18030 become UTF-8, also where lines of one file differ.

In UTF-8 and in GB18030 the bytes of a line break, of a separator and of a quotation mark occur nowhere else, so lines
are found before it is known in which encoding each of them is.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from credit.messages import Text

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
NOT_TEXT_REASON = Text.of("intake.reason.not-text")
NOT_TEXT = b'"x"x'  # stands for a line in no known encoding: it is no CSV, wherever it stands
_HEAD = 4096


class TextBytes:
    """A file's bytes without a byte order mark; those of UTF-16 as UTF-8, with line breaks as ``\\n``.

    ``is_converted`` is True for UTF-16, whose lines are then in no other encoding. An old Macintosh file, whose lines
    end with a carriage return alone, has them as line feeds.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        head = stream.read(_HEAD)
        self._decoder: codecs.IncrementalDecoder | None = None
        self.is_converted = False
        for mark, name in _BOMS:
            if head.startswith(mark):
                head = head[len(mark) :]
                self.is_converted = name != "utf-8"
                break
        else:
            name = _without_mark(head)
            self.is_converted = name != "utf-8"
        if self.is_converted:
            self._decoder = codecs.getincrementaldecoder(name)("surrogatepass")
        self._waiting = head
        self._is_old_macintosh = False
        first = self.read(_HEAD)
        self._is_old_macintosh = b"\r" in first[:-1] and b"\n" not in first
        self._converted = self._lines(first)

    _converted = b""

    def read(self, size: int) -> bytes:
        """About ``size`` bytes; nothing at the end."""
        if self._converted:
            ready, self._converted = self._converted[:size], self._converted[size:]
            return ready
        raw, self._waiting = self._waiting or self._stream.read(size), b""
        if self._decoder is None:
            return self._lines(raw)
        text = ""
        while raw and not text:  # half of a character gives no text yet
            text = _decoded(self._decoder, raw)
            raw = b"" if text else self._stream.read(size)
        if not raw and not text:
            left, _ = self._decoder.getstate()
            self._decoder.reset()
            text = "".join(chr(0xDC00 + byte) for byte in left)  # half a character at the end: no text
        return self._lines(text.encode("utf-8", "surrogatepass"))

    def _lines(self, content: bytes) -> bytes:
        return content.replace(b"\r", b"\n") if self._is_old_macintosh else content


def _decoded(decoder: codecs.IncrementalDecoder, raw: bytes) -> str:
    return decoder.decode(raw)


def _without_mark(head: bytes) -> str:
    """UTF-16 without a byte order mark has a zero byte in nearly every ASCII character, of which a header has many."""
    even, odd = head[::2], head[1::2]
    if len(head) >= 8 and odd.count(0) > len(odd) * 0.4 and even.count(0) < len(even) * 0.1:
        return "utf-16-le"
    if len(head) >= 8 and even.count(0) > len(even) * 0.4 and odd.count(0) < len(odd) * 0.1:
        return "utf-16-be"
    return "utf-8"


@dataclass(frozen=True, slots=True)
class Utf8Lines:
    """Content in UTF-8, and the numbers of the lines that are in no known encoding, with their bytes."""

    content: bytes
    unreadable: Mapping[int, bytes]


def mostly_gb18030(head: bytes) -> bool:
    """Whether more lines are GB18030 and not UTF-8 than are UTF-8 with a Chinese character."""
    other = chinese = 0
    for line in head.split(b"\n"):
        if not line.isascii():
            text = _as(line, "utf-8")
            other += text is None
            chinese += text is not None and any(character >= "\u0800" for character in text)
    return other > chinese


def to_utf8(content: bytes, *, prefers_gb18030: bool, is_converted: bool) -> Utf8Lines:
    """Lines in UTF-8. Each is read as UTF-8, else as GB18030.

    A single line in GB18030 must have its usual characters alone (GB 2312): a stray byte in a line of UTF-8 and the
    letter after it would be a rare character of GB18030 otherwise.
    A line of which no character is beyond U+0800 is no Chinese text in UTF-8: where GB18030 is preferred, it is read as
    that (``联通`` in GB18030 is valid UTF-8). What came from UTF-16 is read as nothing else.
    """
    if not prefers_gb18030 and _as(content, "utf-8") is not None:
        return Utf8Lines(content, {})
    lines, unreadable = content.split(b"\n"), dict[int, bytes]()
    for number, line in enumerate(lines):
        if line.isascii():
            continue
        text = _as(line, "utf-8")
        if prefers_gb18030 and text is not None and all(character < "\u0800" for character in text):
            text = _as(line, "gb18030") or text
        elif text is None and not is_converted:
            text = _as(line, "gb18030" if prefers_gb18030 else "gb2312")
        if text is None:
            unreadable[number] = line
            lines[number] = NOT_TEXT
        else:
            lines[number] = text.encode("utf-8")
    return Utf8Lines(b"\n".join(lines), unreadable)


def _as(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None
