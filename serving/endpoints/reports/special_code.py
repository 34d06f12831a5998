"""The code of a special report: a short signed statement as a QR code, which is checked without a network.

It is a compact JWS (RFC 7515, EdDSA by RFC 8037) over number, subject, days, years and, for each content, how many
records each field has. So a changed page or a changed PDF contradicts its own code. Page and PDF draw one matrix.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import segno

from credit.canonical import canonical
from credit.errors import Broken
from credit.keys import KeyRing, SigningKey

TYPE, ZONE = "haihe-special+jwt", "service"
MARGIN = 4  # modules of white around a code, which readers need


def sign_statement(statement: Mapping[str, Any], key: SigningKey) -> str:
    """The statement as a JWS of the service's key."""
    header = _b64(canonical({"alg": "EdDSA", "kid": f"{key.zone}:{key.keyid}", "typ": TYPE}))
    signed = header + b"." + _b64(canonical(statement))
    return (signed + b"." + _b64(key.sign(signed))).decode()


def read_statement(text: str, ring: KeyRing) -> dict[str, Any]:
    """The statement of a code that the service signed. Raises Broken for anything else."""
    try:
        header, payload, signature = text.strip().encode("ascii").split(b".")
        head, statement, signed = json.loads(_raw(header)), json.loads(_raw(payload)), _raw(signature)
        alg, kind, (zone, _, keyid) = head["alg"], head["typ"], str(head["kid"]).partition(":")
    except (ValueError, KeyError, TypeError, AttributeError) as bad:
        raise Broken("special.code-cannot-be-read") from bad
    # The verifier fixes algorithm and type, not the header: the signature of an answer is no code of a report.
    if alg != "EdDSA" or kind != TYPE or zone != ZONE or "crit" in head or not isinstance(statement, dict):
        raise Broken("special.code-cannot-be-read")
    ring.verify(zone, keyid, header + b"." + payload, signed)
    return statement


def code_matrix(text: str) -> tuple[str, ...]:
    """The QR code of a text (ISO/IEC 18004, error correction M): rows of 0 and 1, without the white around it."""
    matrix = segno.make(text, error="m", micro=False).matrix
    return tuple("".join("1" if dark else "0" for dark in row) for row in matrix)


def code_runs(rows: tuple[str, ...]) -> list[tuple[int, int, int]]:
    """The dark runs of a matrix as (column, row, length): fewer shapes than modules."""
    runs: list[tuple[int, int, int]] = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            length = len(row[x:]) - len(row[x:].lstrip("1"))
            if length:
                runs.append((x, y, length))
            x += max(1, length)
    return runs


def _b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _raw(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
