"""The head of a ledger: how many entries it has and the last one's id, signed by its zone; and that it has begun.

A ledger that has begun has a head. Where it begins, a head of no entries is written first, then a record in the folder
of public keys (``<name>.genesis.json``), signed by the zone too: a ledger that is not there after that was removed.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from credit.errors import Broken
from credit.keys import KeyRing, SigningKey
from credit.ledger.entry import START, b64
from credit.ledger.signed_record import opened, read_record, signed, write_record
from credit.messages import Text


def head_path(ledger: Path) -> Path:
    """The file of a ledger's head."""
    return ledger.with_suffix(".head.json")


def read_head(ledger: Path, ring: KeyRing, zone: str) -> tuple[int, str] | None:
    """The number of entries and the last one's id that ``zone`` signed (any zone when empty); None without a head.

    Raises :class:`Broken`.
    """
    data = read_record(head_path(ledger))
    return None if data is None else opened_head(data, ledger.stem, ring, zone)


def opened_head(record: Any, ledger: str, ring: KeyRing, zone: str) -> tuple[int, str]:
    """What a head's record says, signed by ``zone`` (any zone when empty). Raises :class:`Broken`."""
    try:
        seq, last, keyid = int(record["seq"]), str(record["id"]), str(record["keyid"])
        signature = base64.b64decode(record["sig"])
    except (ValueError, KeyError, TypeError) as error:
        raise Broken("ledger.head-unreadable", why=Text.verbatim(ledger)) from error
    signer, _, name = keyid.partition(":")
    if zone and signer != zone:
        raise Broken("ledger.head-of-another-zone", name=ledger, signer=signer, zone=zone)
    ring.verify(signer, name, f"{seq} {last}".encode(), signature)
    return seq, last


def write_head(ledger: Path, key: SigningKey, seq: int, last: str) -> None:
    """Sign a head and replace the one before."""
    signature = b64(key.sign(f"{seq} {last}".encode()))
    head = {"seq": seq, "id": last, "keyid": f"{key.zone}:{key.keyid}", "sig": signature}
    write_record(head_path(ledger), head, durable=False)


def begin(ledger: Path, key: SigningKey, ring: KeyRing) -> None:
    """Write the head of a ledger without entries and record that it has begun, where that folder can be written.

    Where that folder is read-only, the witnesses alone notice that the whole ledger is gone.
    """
    ledger.parent.mkdir(parents=True, exist_ok=True)
    if not head_path(ledger).exists():
        write_head(ledger, key, 0, START)
    path = _genesis_path(ledger, ring)
    if path is not None and not path.exists():
        record = {"ledger": ledger.stem, "zone": key.zone, "at": datetime.now(UTC).isoformat()}
        with suppress(OSError):
            write_record(path, signed(record, "genesis", key), mode=0o644)


def has_begun(ledger: Path, ring: KeyRing, zone: str) -> bool:
    """Whether the zone recorded that this ledger has begun. Raises :class:`Broken` for a record that is not its own."""
    path = _genesis_path(ledger, ring)
    record = read_record(path) if path is not None else None
    if record is None:
        return False
    content = opened(record, "genesis", zone or str(record.get("zone", "")), ring)
    if content.get("ledger") != ledger.stem:
        raise Broken("ledger.record-unreadable", name="genesis")
    return True


def _genesis_path(ledger: Path, ring: KeyRing) -> Path | None:
    return None if ring.folder is None else ring.folder / f"{ledger.stem}.genesis.json"
