"""Small signed files beside a ledger: its head, the seals of its segments, the statements of its witnesses."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from credit.canonical import canonical
from credit.errors import Broken
from credit.files import write_atomically
from credit.keys import KeyRing, SigningKey
from credit.messages import Text


def signed(content: Mapping[str, Any], purpose: str, key: SigningKey) -> dict[str, Any]:
    """``content`` with the key's name and a signature, which holds for this purpose alone."""
    signature = key.sign(_payload(content, purpose))
    return {**content, "keyid": f"{key.zone}:{key.keyid}", "sig": base64.b64encode(signature).decode()}


def opened(record: Mapping[str, Any], purpose: str, zone: str, ring: KeyRing) -> dict[str, Any]:
    """The content of a record that ``zone`` signed for this purpose; raises :class:`Broken`."""
    try:
        signer, _, keyid = record["keyid"].partition(":")
        signature = base64.b64decode(record["sig"], validate=True)
        content = {name: value for name, value in record.items() if name not in ("keyid", "sig")}
        payload = _payload(content, purpose)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Broken("ledger.record-unreadable", name=purpose) from error
    if signer != zone:
        raise Broken("ledger.record-of-another-zone", name=purpose, signer=signer, zone=zone)
    ring.verify(signer, keyid, payload, signature)
    return content


def read_record(path: Path) -> dict[str, Any] | None:
    """What a file holds, not yet verified; None when it is not there. Raises :class:`Broken` for an unreadable one."""
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Broken("ledger.file-unreadable", why=Text.verbatim(path.name)) from error
    if not isinstance(record, dict):
        raise Broken("ledger.file-unreadable", why=Text.verbatim(path.name))
    return record


def write_record(path: Path, record: Mapping[str, Any], *, mode: int = 0o640, durable: bool = True) -> None:
    """Replace the file by this record. One that is written often, and can be lost, need not be ``durable``."""
    if durable:
        write_atomically(path, canonical(record), mode=mode)
        return
    # In a folder that zones share, a name that can be foreseen could be taken by another zone.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(canonical(record))
    os.replace(temporary, path)


def _payload(content: Mapping[str, Any], purpose: str) -> bytes:
    return f"haihe ledger {purpose}\n".encode() + canonical(content)
