"""What an attacker writes into a ledger's files: lines, heads and seals, signed with whatever key the attacker has."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from credit.actor import Actor, Role
from credit.keys import SigningKey
from credit.ledger import START, Ledger
from credit.ledger.entry import Act, write_lines
from credit.ledger.head import write_head

EVE = Actor("eve", Role.PLATFORM)


def add_lines(ledger: Ledger, key: SigningKey, *acts: Act, head: bool = True) -> None:
    """Lines after the last one, and a head, as the ledger's own writer writes them but signed with ``key``."""
    whole = ledger.path.read_bytes()
    lines = whole[: whole.rfind(b"\n") + 1].splitlines()
    os.truncate(ledger.path, whole.rfind(b"\n") + 1)
    last = json.loads(lines[-1]) if lines else {"seq": 0, "id": START}
    entries, text = write_lines(
        acts or [("release.made", "forged", EVE, {})], last["seq"], last["id"], datetime.now(UTC), key
    )
    with ledger.path.open("ab") as stream:
        stream.write(text.encode())
    if head:
        write_head(ledger.path, key, entries[-1].seq, entries[-1].id)
