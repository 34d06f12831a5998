"""The documents that a bank uploads with an application: what they may be, and how large."""

from __future__ import annotations

import base64
import binascii
import re

from credit.errors import Malformed
from serving.errors import TooLarge

MOST_BYTES = 1 << 20  # of one document
# After the last day of its mandate: three years, within which a claim may be brought (民法典 article 188).
KEPT_DAYS = 3 * 365 + 1
PDF, PNG, JPEG, PLAIN = "application/pdf", "image/png", "image/jpeg", "text/plain"
MEDIA = (PDF, PNG, JPEG, PLAIN)
_BEGINNINGS = {PDF: b"%PDF-", PNG: b"\x89PNG\r\n\x1a\n", JPEG: b"\xff\xd8\xff"}
_ENDS = {PDF: b"%%EOF", PNG: b"IEND\xaeB`\x82", JPEG: b"\xff\xd9"}
_TAIL = 1024  # bytes at the end of a file within which its end has to stand
# What a terminal obeys (C0, DEL and C1), and what shows a text in another order than it is written (UAX #9).
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def read_document(content: str) -> tuple[bytes, str]:
    """The bytes of a document sent in base64, and its media type, which its own bytes decide.

    Raises Malformed for what is no base64 or no document of these kinds, and TooLarge.
    """
    if len(content) > (MOST_BYTES + 2) // 3 * 4 + 4:
        raise TooLarge("mandate-documents.too-large", limit=MOST_BYTES)
    try:
        raw = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as bad:
        raise Malformed("mandate-documents.not-base64") from bad
    if len(raw) > MOST_BYTES:
        raise TooLarge("mandate-documents.too-large", limit=MOST_BYTES)
    return raw, media_type_of(raw)


def media_type_of(raw: bytes) -> str:
    """The media type of a document by its bytes alone. Raises Malformed for another kind, or one that is cut off."""
    for media, beginning in _BEGINNINGS.items():
        if raw.startswith(beginning):
            if _ENDS[media] not in raw[-_TAIL:]:
                raise Malformed("mandate-documents.cut-off", media=media)
            return media
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as bad:
        raise Malformed("mandate-documents.another-kind", media=", ".join(MEDIA)) from bad
    if not text.strip() or _UNSEEN.search(text):
        raise Malformed("mandate-documents.another-kind", media=", ".join(MEDIA))
    return PLAIN
