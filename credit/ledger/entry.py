"""One entry of a ledger (台账条目) and the line in which it is stored: content, the digest that chains it, a signature.

Entries of one durable write are signed together: the last of them carries the signature, and since each entry holds the
digest of the one before it, that signature covers all of them (as a signed tree head covers a log's entries, RFC 9162
§4.10). A line without a signature is valid only when a signed line follows it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from json.encoder import encode_basestring as quoted
from typing import Any, NamedTuple, NoReturn

from credit.actor import Actor
from credit.canonical import canonical, digest
from credit.errors import Broken, Malformed
from credit.keys import KeyRing, SigningKey
from credit.messages import Text

START = "0" * 64
_LINE_ONLY = ("id", "keyid", "sig")  # keys of a line that are not part of the digested content
Act = tuple[str, str, Actor, Mapping[str, Any]]  # verb, object, by, details


class Entry(NamedTuple):
    """One act: who did what to which object, when, and with which details. ``id`` is the digest of all other fields."""

    seq: int
    at: datetime
    by: Actor
    verb: str
    object: str
    details: Mapping[str, Any]
    previous: str
    id: str

    def body(self) -> bytes:
        """The canonical bytes whose digest is the id, and which the zone's signature covers."""
        content = {"seq": self.seq, "at": self.at.isoformat(), "by": str(self.by), "verb": self.verb,
                "object": self.object, "because": self.details, "previous": self.previous}  # fmt: skip
        return canonical(content)


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a ledger: the ``offset`` bytes before it hold ``seq`` entries, and ``id`` is the last one's id."""

    offset: int = 0
    seq: int = 0
    id: str = START


def write_lines(acts: Iterable[Act], seq: int, previous: str, at: datetime, key: SigningKey) -> tuple[list[Entry], str]:
    """The entries of ``acts`` after entry ``seq`` with the id ``previous``, and their lines, of which the last is
    signed.

    Each line is canonical JSON. It is composed here from parts that are already sorted, at half the cost of encoding it
    again.
    """
    entries, lines, first, middle, last, body = [], [], "", "", "", b""
    name, moment = "", at.isoformat()
    for verb, object_id, by, details in acts:
        if name:
            lines.append(f'{first}"id":"{name}",{middle}{last}\n')
            previous = name
        seq += 1
        first = f'{{"at":"{moment}","because":{_flat(details)},"by":{quoted(str(by))},'
        middle = f'"object":{quoted(object_id)},"previous":"{previous}","seq":{seq},'
        last = f'"verb":{quoted(verb)}}}'
        body = f"{first}{middle}{last}".encode()
        name = digest(body)
        entries.append(Entry(seq, at, by, verb, object_id, details, previous, name))
    if name:
        by_key = f'"keyid":{quoted(f"{key.zone}:{key.keyid}")},'
        lines.append(f'{first}"id":"{name}",{by_key}{middle}"sig":"{b64(key.sign(body))}",{last}\n')
    return entries, "".join(lines)


def read_lines(
    lines: Iterable[bytes], after: Position, ring: KeyRing, zone: str, *, whole: bool
) -> Iterator[tuple[Entry, Position]]:
    """Each entry with the position after it, verified and covered by a signature of ``zone`` (of any zone when empty).

    Raises :class:`Broken`; also when ``whole`` is true and the last lines are incomplete or unsigned.
    """
    unsigned: list[tuple[Entry, Position]] = []  # read, and not covered by a signature yet
    for line in lines:
        if not whole and not line.endswith(b"\n"):
            return
        entry, signer = read_line(line, after.seq + 1, after.id, ring)
        if signer and signer != (zone := zone or signer):
            broken(entry.seq, Text.of("entry.another-zone", signer=signer, zone=zone))
        after = Position(after.offset + len(line), entry.seq, entry.id)
        unsigned.append((entry, after))
        if signer:
            yield from unsigned
            unsigned.clear()
    if unsigned and whole:
        broken(unsigned[0][0].seq, Text.of("entry.not-signed"))


def read_line(line: bytes, number: int, previous: str, ring: KeyRing) -> tuple[Entry, str]:
    """The entry in a line and the zone that signed it ("" when unsigned).

    Raises :class:`Broken` unless it has this number, follows ``previous`` and verifies.
    """
    try:
        data = json.loads(line)
        require_types(data)
        entry = Entry(
            data["seq"], datetime.fromisoformat(data["at"]), Actor.parse(data["by"]), data["verb"], data["object"],
            data["because"], data["previous"], data["id"],
        )  # fmt: skip
        signed = "sig" in data or "keyid" in data
        signature = base64.b64decode(data["sig"]) if signed else b""
        zone, _, keyid = data["keyid"].partition(":") if signed else ("", "", "")
        # Only the one canonical spelling is valid: JSON and base64 both have others that read the same.
        as_written = canonical(data) + b"\n" == line and (not signed or b64(signature) == data["sig"])
        as_written = as_written and len(data) == (10 if signed else 8)
    except (ValueError, KeyError, TypeError, AttributeError, Malformed):
        broken(number, Text.of("entry.unreadable"))
    # The digest covers the text as it is stored: parsed as a time, 2026-11-25T04 and 2026-11-25 04 would be equal.
    body = canonical({name: value for name, value in data.items() if name not in _LINE_ONLY})
    if not as_written or (signed and not zone):
        broken(number, Text.of("entry.not-as-written"))
    if entry.seq != number or entry.previous != previous:
        broken(number, Text.of("entry.does-not-follow"))
    if entry.id != digest(body):
        broken(number, Text.of("entry.changed"))
    if signed:
        ring.verify(zone, keyid, body, signature)
    return entry, zone


def require_types(data: Mapping[str, Any]) -> None:
    """Raise ``TypeError`` unless verb and object of a line are texts and its details a mapping: its readers rely on it,
    and a zone's key can sign anything."""
    if type(data["verb"]) is not str or type(data["object"]) is not str or type(data["because"]) is not dict:
        raise TypeError


def b64(raw: bytes) -> str:
    """Base64 of a signature, as a line stores it."""
    return base64.b64encode(raw).decode()


def broken(line: int, why: Text) -> NoReturn:
    """Raise :class:`Broken` for a ledger that does not verify at this line."""
    raise Broken("entry.ledger-broken-at-line", why=why, line=line)


def missing_lines(count: int, head: int) -> NoReturn:
    """Raise :class:`Broken` for a ledger of ``count`` entries whose signed head counts ``head``."""
    broken(count + 1, Text.of("entry.lines-missing", count=count, signed=head))


def _flat(details: Mapping[str, Any]) -> str:
    """The canonical form; details of text and whole numbers alone, the usual case, cost a third of the full encoder."""
    parts = []
    for name in sorted(details):
        value = details[name]
        kind = type(value)
        if kind is str:
            parts.append(f"{quoted(name)}:{quoted(value)}")
        elif kind is int:
            parts.append(f"{quoted(name)}:{value}")
        else:
            return canonical(details).decode()
    return f"{{{','.join(parts)}}}"
