"""An answer's bytes, laid out once a subject and snapshot: what is left of a call is to fill in who asked and when.

The bytes are those of `answers.compose` in canonical form, cut where a call's own words go, so there is one source of
what an answer says; replay composes it anew and comes to the same digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from json.encoder import encode_basestring as quoted
from typing import Any

from credit.canonical import canonical
from serving.answers import compose, line_of
from serving.remembered import Remembered
from serving.signatures import Signer
from serving.snapshots import Book

MOST = 8192  # sheets kept, about 3 KB each with a dozen features
_MARKS = {name: f"\x00{name}\x00" for name in ("mandate", "purpose", "score_id", "valid_until", "uscc")}
_RECEIPT = b'"receipt":'
_UNTIL = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One subject's answer, cut at the places of mandate, purpose, receipt, score id, code and last day of validity."""

    parts: tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]

    @classmethod
    def of(cls, book: Book, row: int) -> Sheet:
        """Lay out the answer of the subject in `row`. Raises Broken when the snapshot's numbers do not fit."""
        blank = compose(
            book, line_of(book, row), score_id=_MARKS["score_id"], mandate=_MARKS["mandate"],
            purpose=_MARKS["purpose"], valid_until=_UNTIL,
        )  # fmt: skip
        whole = canonical({**blank, "receipt": 0, "uscc": _MARKS["uscc"], "valid_until": _MARKS["valid_until"]})
        parts = []
        for mark in (*(canonical(_MARKS[name]) for name in ("mandate", "purpose")), _RECEIPT + b"0,",
                     canonical(_MARKS["score_id"]), b'"uscc":' + canonical(_MARKS["uscc"]) + b",",
                     canonical(_MARKS["valid_until"])):  # fmt: skip
            before, _, whole = whole.partition(mark)
            parts.append(before)
        a, b, c, d, e, f = parts
        return cls((a, b, c, d, e, f, whole))

    def fill(self, *, uscc: str, mandate: str, purpose: str, score_id: str, valid_until: str) -> Filled:
        """The answer to one call, still without its receipt; its digest is what the ledger will hold."""
        a, b, c, d, e, f, g = self.parts
        before = b"".join((a, quoted(mandate).encode(), b, quoted(purpose).encode(), c))
        between = b"".join((d, quoted(score_id).encode(), e))
        after = b"".join((f, quoted(valid_until).encode(), g))
        return Filled.of(uscc, before, between, after)


@dataclass(slots=True)
class Filled:
    """An answer around the two places that its digest leaves out."""

    uscc: str
    before: bytes
    between: bytes
    after: bytes
    digest: str
    _begun: Any  # the digest so far, after `before`

    @classmethod
    def of(cls, uscc: str, before: bytes, between: bytes, after: bytes) -> Filled:
        """The answer around these; `before` is the most of it, and digested once for both digests."""
        begun = sha256(before)
        whole = begun.copy()
        whole.update(between)
        whole.update(after)
        return cls(uscc, before, between, after, whole.hexdigest(), begun)

    def whole(self, *, entry: str, seq: int) -> bytes:
        """The body to send, once the entry is durable."""
        return self.before + self._rest(entry, seq)

    def signed_by(self, signer: Signer, *, entry: str, seq: int) -> tuple[bytes, bytes]:
        """The same, and its signature."""
        rest, whole = self._rest(entry, seq), self._begun.copy()
        whole.update(rest)
        return self.before + rest, signer.sign_digest(whole.hexdigest())

    def _rest(self, entry: str, seq: int) -> bytes:
        receipt = f'"receipt":{{"digest":"{self.digest}","entry":"{entry}","seq":{seq}}},'
        return b"".join((receipt.encode(), self.between, f'"uscc":"{self.uscc}",'.encode(), self.after))


class Sheets:
    """Sheets laid out lately, by snapshot and row."""

    def __init__(self) -> None:
        """None yet."""
        self._held: Remembered[tuple[str, str, int], Sheet] = Remembered(MOST)

    def of(self, book: Book, row: int) -> Sheet:
        """The sheet of the subject in `row`, laid out now if it was not lately."""
        name = (book.snapshot, book.version, row)
        held = self._held.get(name)
        if held is None:
            held = Sheet.of(book, row)
            self._held.put(name, held)
        return held
