"""Proofs of inclusion (存证证明): the lines of a ledger from one entry to the signature that covers it.

A person who has the zone's public key verifies a proof without the ledger. It shows that the zone wrote the entry, and
when by its clock; that nothing was written between it and another entry is shown by the whole ledger alone
(:meth:`~credit.ledger.Ledger.verify`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from credit.errors import Malformed, Missing
from credit.keys import KeyRing
from credit.ledger.entry import Entry, Position, read_lines
from credit.ledger.ledger import Ledger
from credit.ledger.segments.by_number import line_of

FORM = "haihe-ledger-inclusion-1"


def inclusion_proof(ledger: Ledger, number: int) -> dict[str, Any]:
    """The proof of entry ``number``: ``{form, zone, seq, previous, lines}``, as JSON values.

    Raises :class:`Missing` when the ledger has no such entry that a signature covers, :class:`Broken` when it does not
    verify.
    """
    entry, place = ledger.entry_at(number), line_of(ledger.store, number)
    if entry is None or place is None:
        raise Missing("inclusion.no-entry", number=number)
    segment, offset, _ = place
    lines: list[str] = []
    for line in ledger.store.lines(segment, offset):
        lines.append(line.decode("utf-8"))
        if "sig" in json.loads(line):
            break
    zone = ledger.zone or (ledger.key.zone if ledger.key else "")
    return {"form": FORM, "zone": zone, "seq": number, "previous": entry.previous, "lines": lines}


def included_entry(proof: Mapping[str, Any], ring: KeyRing) -> Entry:
    """The entry that a proof is of, verified with the public keys alone.

    Raises :class:`Malformed` for what is no proof, :class:`Broken` for one that does not verify.
    """
    try:
        zone, number, previous = str(proof["zone"]), int(proof["seq"]), str(proof["previous"])
        lines = [str(line).encode("utf-8") for line in proof["lines"]]
        good = proof["form"] == FORM and bool(zone) and bool(lines)
    except (KeyError, TypeError, ValueError, OverflowError) as error:  # a number of JSON may be infinite
        raise Malformed("inclusion.no-proof") from error
    if not good:
        raise Malformed("inclusion.no-proof")
    return next(read_lines(lines, Position(0, number - 1, previous), ring, zone, whole=True))[0]
