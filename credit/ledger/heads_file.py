"""The heads of all ledgers in one file, with their countersignatures: for a witness outside, who returns it later.

What the file says was so when it was written. A ledger that lost or changed any of those entries since does not agree
with it, whichever keys the machine holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from credit.errors import Broken, Malformed
from credit.keys import KeyRing
from credit.ledger.head import head_path, opened_head
from credit.ledger.ledger import Ledger
from credit.ledger.signed_record import read_record
from credit.ledger.statement import Statement, require_head, statement_records

FORMAT = "haihe-ledger-heads/1"


def exported_heads(ledgers: Mapping[str, Ledger], folder: Path) -> dict[str, Any]:
    """The signed head of each ledger and what its witnesses signed. Raises Broken for a head without its entry."""
    heads = []
    for name, ledger in ledgers.items():
        require_head(ledger)
        countersigned = [record for _, record in statement_records(folder, name)]
        heads.append({"ledger": name, "head": read_record(head_path(ledger.path)), "countersigned": countersigned})
    return {"format": FORMAT, "at": datetime.now(UTC).isoformat(), "heads": heads}


def require_agreement(document: Any, ledgers: Mapping[str, Ledger], ring: KeyRing) -> dict[str, int]:
    """The number of entries that the file knows of each ledger, all of which are still in their places.

    Raises :class:`Malformed` for another file, :class:`Broken` for a ledger that no longer agrees with it.
    """
    try:
        if document["format"] != FORMAT:
            raise ValueError
        rows = [(str(row["ledger"]), row["head"], list(row["countersigned"])) for row in document["heads"]]
        at = datetime.fromisoformat(document["at"]).isoformat()
    except (ValueError, KeyError, TypeError) as error:
        raise Malformed("heads.not-heads-file") from error
    counts = {}
    for name, head, records in rows:
        ledger = ledgers.get(name)
        if ledger is None:
            raise Broken("heads.no-such-ledger", name=name)
        seq, last = opened_head(head, name, ring, ledger.zone)
        Statement(name, seq, last, at, "heads").require_true(ledger)
        for record in records:
            witness = str(record.get("witness", "")) if isinstance(record, dict) else ""
            Statement.opened(record, witness, ring).require_true(ledger)
        counts[name] = seq
    return counts
