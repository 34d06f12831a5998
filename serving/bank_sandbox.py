"""The sandbox tenant: an invented bank and invented firms with known outcomes, for a bank's developers.

The firms are chosen by their scores in the active snapshot, and only where the release behind it states that every
record in it is invented.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from credit.canonical import digest
from credit.errors import Missing, Refused
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from credit.uscc import compose
from serving.auth.mandates import LENDING_PURPOSES
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
    """One firm: its code, a mandate for a credit decision, a mandate to watch it, and the status that the
    service answers.
    """

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
    snapshot: ActiveSnapshot, codes: Iterable[str], repaired: Iterable[str], pseudonyms: PseudonymKey
) -> dict[str, str]:
    """The firms' codes by their role. Raises Missing when the city is too small to have one of each."""
    rows = {code: row for code in codes if (row := snapshot.row_of(pseudonyms.key_of(code))) is not None}
    if len(rows) < 8:
        raise Missing("bank-sandbox.city-too-small-for-sandbox")
    points = {code: float(snapshot.answers[row]["points"]) for code, row in rows.items()}
    missing_counts = {code: int(np.isnan(np.asarray(snapshot.features[row])).sum()) for code, row in rows.items()}
    ranked = sorted(rows, key=lambda code: (-points[code], code))
    firms = {"good": ranked[0], "expired": ranked[1], "unmandated": ranked[2], "bad": ranked[-1]}
    rest = [code for code in ranked if code not in firms.values()]
    firms["thin"] = max(rest, key=lambda code: (missing_counts[code], code))
    repaired_firms = sorted(set(repaired) & set(rest) - {firms["thin"]}, key=lambda code: (-points[code], code))
    if repaired_firms:
        firms["repaired"] = repaired_firms[0]
    unused_codes = (compose("91", "120116", f"NDB0X00{mark}") for mark in "0123456789ABCDEFGHJKLMNPQRTUWXY")
    firms["unknown"] = next(code_parts.code for code_parts in unused_codes if code_parts.code not in rows)
    return firms


def plan_mandates(
    firms: dict[str, str], *, bank: str, day: date, pseudonyms: PseudonymKey, first: str
) -> tuple[list[dict[str, str]], dict[str, SandboxFirm]]:
    """The statements of the mandates that the firms are to give the bank, and each firm by its role.

    The ids are ``first`` and four digits, in the order of the statements.
    """
    wanted: list[dict[str, str]] = []
    planned: dict[str, SandboxFirm] = {}
    for role, code in firms.items():
        validity = (day - timedelta(days=90), day - timedelta(days=1)) if role == "expired" else (
            day, day + timedelta(days=365))  # fmt: skip
        ids = []
        for purpose in LENDING_PURPOSES:
            ids.append(f"{first}{len(wanted):04x}")
            wanted.append(
                {
                    "bank": bank,
                    "subject": pseudonyms.key_of(code).hex,
                    "purpose": purpose,
                    "document_kind": "invented",
                    "document": digest(f"sandbox {role} {purpose}".encode()),
                    "from": validity[0].isoformat(),
                    "until": validity[1].isoformat(),
                }
            )
        status, outcome = EXPECTED[role]
        planned[role] = SandboxFirm(code, ids[0], ids[1], status, outcome)
    if "unmandated" in planned and "good" in planned:
        own, others = planned["unmandated"], planned["good"]
        planned["unmandated"] = SandboxFirm(own.code, others.mandate, others.watching, own.status, own.because)
    return wanted, planned
