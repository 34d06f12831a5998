"""A closed segment's seal: the zone's signature under the digest of its bytes, and where it stands in the chain.

A sealed segment is read at several times the speed: its digest shows that not one byte has changed, the chain that its
entries follow each other, and the last entry's signature covers them all; so the signatures in between need not be
verified again. The writer verified each of them before it sealed the segment. A seal that is removed makes reading
slower, and the next writer makes it again; one that does not fit is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from credit.actor import Actor
from credit.canonical import canonical, digest
from credit.errors import Malformed
from credit.keys import KeyRing, SigningKey
from credit.ledger.entry import Entry, Position, broken, read_line, read_lines, require_types
from credit.ledger.segments.store import Segment, make_folder
from credit.ledger.signed_record import opened, read_record, signed, write_record
from credit.messages import Text

PURPOSE = "segment"
actor_named = lru_cache(4096)(Actor.parse)  # most entries are by few
_KEYS = {"at", "because", "by", "id", "object", "previous", "seq", "verb"}
_SIGNED_KEYS = _KEYS | {"keyid", "sig"}
_SAME_SPELLING = {str, int, bool, type(None)}  # msgspec writes these as `canonical` does, and numbers with a point not


def seal_path(segment: Segment) -> Path:
    """The file of a closed segment's seal."""
    return segment.path.parent.parent / "seals" / f"{segment.path.stem}.json"


def write_seal(segment: Segment, before: Position, key: SigningKey, ring: KeyRing) -> None:
    """Verify every line and signature of a closed segment, then sign its digest.

    Raises :class:`Broken`, and then there is no seal.
    """
    whole, seq, name = segment.read(), before.seq, before.id
    for data, _ in read_sealed(whole, before, ring, key.zone, every_signature=True):
        seq, name = data["seq"], data["id"]
    content = {
        "after": before.seq, "previous": before.id, "last": seq, "id": name,
        "offset": before.offset, "bytes": len(whole), "digest": digest(whole),
    }  # fmt: skip
    path = seal_path(segment)
    make_folder(path.parent)
    write_record(path, signed(content, PURPOSE, key))


def sealed_bytes(segment: Segment, before: Position, ring: KeyRing, zone: str) -> bytes | None:
    """The bytes of a closed segment that its seal covers; None when it is not sealed yet. Raises :class:`Broken`."""
    record = read_record(seal_path(segment))
    if record is None:
        return None
    content, whole = opened(record, PURPOSE, zone or _signer(record), ring), segment.read()
    expected = {"after": before.seq, "previous": before.id, "offset": before.offset, "bytes": len(whole)}
    if {name: content.get(name) for name in expected} != expected or content.get("digest") != digest(whole):
        for _ in read_lines(_lines(whole), before, ring, zone, whole=True):
            pass  # which names the line that changed
        broken(before.seq + 1, Text.of("ledger.segment-not-as-sealed", name=segment.path.name))
    return whole


def read_sealed(
    whole: bytes, before: Position, ring: KeyRing, zone: str, *, every_signature: bool = False
) -> Iterator[tuple[dict[str, Any], int]]:
    """The content of each line of sealed bytes, with the line's length; verified as :func:`read_lines` does, except
    for signatures before the last, which are verified with ``every_signature``.

    The content is passed on before the last signature is verified: that the zone sealed these bytes is known already.
    """
    seq, previous, line, data = before.seq, before.id, b"", {}
    for line in _lines(whole):
        seq += 1
        try:
            data = _content(line, seq)
            name, keys = data["id"], _SIGNED_KEYS if "sig" in data else _KEYS
            if data.keys() != keys:
                broken(seq, Text.of("entry.not-as-written"))
            if data["seq"] != seq or data["previous"] != previous:
                broken(seq, Text.of("entry.does-not-follow"))
            if digest(_body(line, data)) != name:
                broken(seq, Text.of("entry.changed"))
            require_types(data)
            datetime.fromisoformat(data["at"])
            actor_named(data["by"])
            if every_signature and "sig" in data:
                _require_signature(line, seq, previous, ring, zone)
        except (ValueError, KeyError, TypeError, AttributeError, Malformed):
            broken(seq, Text.of("entry.unreadable"))
        previous = name
        yield data, len(line)
    if line:
        if "sig" not in data:
            broken(seq, Text.of("entry.not-signed"))
        _require_signature(line, seq, data["previous"], ring, zone)


def _content(line: bytes, seq: int) -> dict[str, Any]:
    """The content of a line in its canonical spelling. Raises :class:`Broken` for another, ValueError if it has none.

    Details of texts and whole numbers, the usual case, are read and written again by msgspec, at a third of the cost.
    """
    decode, encode = _codec()
    with suppress(ValueError, OverflowError, KeyError, TypeError, AttributeError):
        data: dict[str, Any] = decode(line)
        if _SAME_SPELLING.issuperset(map(type, data["because"].values())) and b"%b\n" % encode(data) == line:
            return data
    data = json.loads(line)
    if canonical(data) + b"\n" != line:
        broken(seq, Text.of("entry.not-as-written"))
    return data


@cache
def _codec() -> tuple[Callable[[bytes], Any], Callable[[Any], bytes]]:
    """Imported when a segment is read: the help of a command needs none of it."""
    import msgspec

    return msgspec.json.Decoder().decode, msgspec.json.Encoder(order="sorted").encode


def _require_signature(line: bytes, seq: int, previous: str, ring: KeyRing, zone: str) -> None:
    signer = read_line(line, seq, previous, ring)[1]
    if zone and signer != zone:
        broken(seq, Text.of("entry.another-zone", signer=signer, zone=zone))


def entry_of(data: dict[str, Any]) -> Entry:
    """The entry in a verified line."""
    return Entry(
        data["seq"], datetime.fromisoformat(data["at"]), actor_named(data["by"]), data["verb"], data["object"],
        data["because"], data["previous"], data["id"],
    )  # fmt: skip


def _body(line: bytes, data: dict[str, Any]) -> bytes:
    """The bytes that the id is the digest of: a canonical line without id, key and signature.

    A quotation mark within a text is escaped, so each mark that is searched for is the name of a field, and the last
    one of its name is the line's own.
    """
    at = line.rindex(b',"id":"') + 1
    if "sig" not in data:
        return line[:at] + line[at + len(data["id"]) + 8 : -1]
    key = line.index(b'"object":', at)  # what is between id and object is the key's name, which has no such mark
    sig = line.rindex(b'"sig":"')
    return line[:at] + line[key:sig] + line[sig + len(data["sig"]) + 9 : -1]


def _lines(whole: bytes) -> Iterable[bytes]:
    start = 0
    while start < len(whole):
        end = whole.find(b"\n", start) + 1 or len(whole)
        yield whole[start:end]
        start = end


def _signer(record: dict[str, Any]) -> str:
    return str(record.get("keyid", "")).partition(":")[0]
