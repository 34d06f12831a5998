"""The sandbox tenant: an invented bank, and invented firms that behave on purpose, for a bank's developers.

Firms are picked from the snapshot that serves, by what it says of them; only where the release behind it says of itself
that every record in it is invented.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from credit.actor import Actor
from credit.canonical import digest
from credit.errors import Missing, Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from credit.uscc import compose
from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import PURPOSES, grant
from serving.data.snapshot import ActiveSnapshot

EXPECTED = {
    "good": (200, "the highest points of the city"),
    "bad": (200, "grade D"),
    "thin": (200, "few records: many features under `missing`"),
    "repaired": (200, "a record of it was repaired, and does not count"),
    "unknown": (404, "a code with both checks right that nobody has"),
    "expired": (403, "its mandate ended yesterday: the check `time` fails"),
    "unmandated": (403, "the mandate named is another firm's: the check `subject` fails"),
}


@dataclass(frozen=True, slots=True)
class SandboxFirm:
    """One of them: its code, a mandate to decide on a credit, one to watch it, and what the service answers."""

    code: str
    mandate: str
    watching: str
    status: int
    because: str


def require_invented(shelf: Shelf, release: str) -> None:
    """Raises Refused unless every record of the release is invented."""
    if shelf.open(release).seal.terms.get("invented") is not True:
        raise Refused('bank-sandbox.home-not-invented-one')  # fmt: skip


def choose_firms(
    book: ActiveSnapshot, codes: Iterable[str], repaired: Iterable[str], pseudonyms: PseudonymKey
) -> dict[str, str]:
    """The firms' codes by what they are for. Raises Missing when the city is too small to have one of each."""
    rows = {code: row for code in codes if (row := book.row_of(pseudonyms.key_of(code))) is not None}
    if len(rows) < 8:
        raise Missing("bank-sandbox.city-too-small-for-sandbox")
    points = {code: float(book.answers[row]["points"]) for code, row in rows.items()}
    gaps = {code: int(np.isnan(np.asarray(book.features[row])).sum()) for code, row in rows.items()}
    ranked = sorted(rows, key=lambda code: (-points[code], code))
    named = {"good": ranked[0], "expired": ranked[1], "unmandated": ranked[2], "bad": ranked[-1]}
    left = [code for code in ranked if code not in named.values()]
    named["thin"] = max(left, key=lambda code: (gaps[code], code))
    mended = sorted(set(repaired) & set(left) - {named["thin"]}, key=lambda code: (-points[code], code))
    if mended:
        named["repaired"] = mended[0]
    stranger = (compose("91", "120116", f"NDB0X00{mark}") for mark in "0123456789ABCDEFGHJKLMNPQRTUWXY")
    named["unknown"] = next(told.code for told in stranger if told.code not in rows)
    return named


def grant_mandates(
    named: dict[str, str], *, bank: str, access: AccessDatabase, day: date, by: Actor, key: SigningKey, ledger: Ledger,
    pseudonyms: PseudonymKey,
) -> dict[str, SandboxFirm]:  # fmt: skip
    """Grant the firms' mandates to the bank. Raises as `grant` does."""
    made: dict[str, SandboxFirm] = {}
    for who, code in named.items():
        span = (day - timedelta(days=90), day - timedelta(days=1)) if who == "expired" else (
            day, day + timedelta(days=365))  # fmt: skip
        mandates = [
            grant(access, bank=bank, subject=pseudonyms.key_of(code), purpose=purpose, by=by, key=key, ledger=ledger,
                  document=digest(f"sandbox {who} {purpose}".encode()), document_kind="invented",
                  valid_from=span[0], valid_until=span[1]).id
            for purpose in PURPOSES
        ]  # fmt: skip
        status, because = EXPECTED[who]
        made[who] = SandboxFirm(code, mandates[0], mandates[1], status, because)
    if "unmandated" in made and "good" in made:
        own, others = made["unmandated"], made["good"]
        made["unmandated"] = SandboxFirm(own.code, others.mandate, others.watching, own.status, own.because)
    return made
