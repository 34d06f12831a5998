"""One entry of a ledger (台账条目) and the line it is written as: its content, the digest that chains it, a signature.

Entries that were made durable in one write are signed together: the last of them carries the signature, and since each
entry holds the digest of the one before it, that signature is over all of them (as a signed tree head is over a log's
entries, RFC 9162 §4.10). A line without one counts for nothing until a signed line follows it.
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

START = "0" * 64
_AROUND = ("id", "keyid", "sig")  # of a line, and not of what is digested
Act = tuple[str, str, Actor, Mapping[str, Any]]  # verb, object, by, because


class Entry(NamedTuple):
    """One act: who did what to which object, when and because of what. ``id`` digests all of it with ``previous``."""

    seq: int
    at: datetime
    by: Actor
    verb: str
    object: str
    because: Mapping[str, Any]
    previous: str
    id: str

    def body(self) -> bytes:
        """The bytes that the id digests, and that the zone signs where it signs."""
        told = {"seq": self.seq, "at": self.at.isoformat(), "by": str(self.by), "verb": self.verb,
                "object": self.object, "because": self.because, "previous": self.previous}  # fmt: skip
        return canonical(told)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a ledger: the ``offset`` bytes before it hold ``seq`` entries, the last of which is ``id``."""

    offset: int = 0
    seq: int = 0
    id: str = START


def write_lines(acts: Iterable[Act], seq: int, previous: str, at: datetime, key: SigningKey) -> tuple[list[Entry], str]:
    """The entries of ``acts`` after entry ``seq`` with the id ``previous``, and their lines, the last one signed.

    A line is canonical JSON. It is spliced here around the body, which is put in order once: half the cost of it.
    """
    entries, lines, first, middle, last, body = [], [], "", "", "", b""
    name, moment = "", at.isoformat()
    for verb, thing, by, because in acts:
        if name:
            lines.append(f'{first}"id":"{name}",{middle}{last}\n')
            previous = name
        seq += 1
        first = f'{{"at":"{moment}","because":{_flat(because)},"by":{quoted(str(by))},'
        middle = f'"object":{quoted(thing)},"previous":"{previous}","seq":{seq},'
        last = f'"verb":{quoted(verb)}}}'
        body = f"{first}{middle}{last}".encode()
        name = digest(body)
        entries.append(Entry(seq, at, by, verb, thing, because, previous, name))
    if name:
        by_key = f'"keyid":{quoted(f"{key.zone}:{key.keyid}")},'
        lines.append(f'{first}"id":"{name}",{by_key}{middle}"sig":"{b64(key.sign(body))}",{last}\n')
    return entries, "".join(lines)


def read_lines(
    lines: Iterable[bytes], after: Mark, ring: KeyRing, zone: str, *, whole: bool
) -> Iterator[tuple[Entry, Mark]]:
    """Entries and the marks behind them, each verified and vouched for by a signature of ``zone`` (any when empty).

    Raises Broken; also when the last lines are torn or unsigned and the ledger has to be ``whole``.
    """
    held: list[tuple[Entry, Mark]] = []  # read, and not signed for yet
    for line in lines:
        if not whole and not line.endswith(b"\n"):
            return
        entry, signer = read_line(line, after.seq + 1, after.id, ring)
        if signer and signer != (zone := zone or signer):
            broken(entry.seq, f"it is signed by zone {signer}, and this is the ledger of {zone}")
        after = Mark(after.offset + len(line), entry.seq, entry.id)
        held.append((entry, after))
        if signer:
            yield from held
            held.clear()
    if held and whole:
        broken(held[0][0].seq, "nobody signed for it")


def read_line(line: bytes, number: int, previous: str, ring: KeyRing) -> tuple[Entry, str]:
    """One line as an entry, verified against the number and id before it; and the zone that signed it, if one did."""
    try:
        told = json.loads(line)
        entry = Entry(
            told["seq"], datetime.fromisoformat(told["at"]), Actor.parse(told["by"]), told["verb"], told["object"],
            told["because"], told["previous"], told["id"],
        )  # fmt: skip
        signed = "sig" in told or "keyid" in told
        signature = base64.b64decode(told["sig"]) if signed else b""
        zone, _, keyid = told["keyid"].partition(":") if signed else ("", "", "")
        # One way to write a line and no other: JSON and base64 both have spellings that read the same.
        as_written = canonical(told) + b"\n" == line and (not signed or b64(signature) == told["sig"])
        as_written = as_written and len(told) == (10 if signed else 8)
    except (ValueError, KeyError, TypeError, AttributeError, Malformed):
        broken(number, "it cannot be read")
    # What was digested is what stands there: read as a time, 2026-11-25T04 and 2026-11-25 04 are one.
    body = canonical({name: value for name, value in told.items() if name not in _AROUND})
    if not as_written or (signed and not zone):
        broken(number, "it is not as it was written")
    if entry.seq != number or entry.previous != previous:
        broken(number, "it does not follow the line before it: a line is missing or was moved")
    if entry.id != digest(body):
        broken(number, "its content was changed")
    if signed:
        ring.verify(zone, keyid, body, signature)
    return entry, zone


def b64(raw: bytes) -> str:
    """As a line holds a signature."""
    return base64.b64encode(raw).decode()


def broken(line: int, why: str) -> NoReturn:
    """Raise what a ledger that does not verify raises."""
    raise Broken("entry.ledger-broken-at-line", why=why, line=line)


def missing_lines(count: int, told: int) -> NoReturn:
    """Raise what a ledger raises that ends before its signed head."""
    broken(count + 1, f"it ends at entry {count}, and its signed head says {told}: lines are missing")


def _flat(because: Mapping[str, Any]) -> str:
    """The canonical form; that of plain words and numbers, which nearly all are, at a third of the cost."""
    parts = []
    for name in sorted(because):
        value = because[name]
        kind = type(value)
        if kind is str:
            parts.append(f"{quoted(name)}:{quoted(value)}")
        elif kind is int:
            parts.append(f"{quoted(name)}:{value}")
        else:
            return canonical(because).decode()
    return f"{{{','.join(parts)}}}"
