"""An answer's bytes, laid out once a subject and snapshot: what is left of a call is to fill in who asked and when.

The bytes are those of `answers.compose` in canonical form, cut where a call's own words go; replay composes it anew and
comes to the same digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from credit.canonical import canonical
from serving.data.snapshot import ActiveSnapshot
from serving.responses.compose import NOTICE
from serving.responses.json_fragments import JsonFragments, json_points, json_string
from serving.responses.score_values import ScoreValues, stored_values
from serving.state.decision_cache import DecisionCache

MAX_TEMPLATES = 4096  # sheets kept, about 6 KB each with a dozen features
MAX_SNAPSHOTS = 8  # whose words are kept
_NOTICE = canonical(NOTICE)


@dataclass(slots=True)
class ResponseTemplate:
    """One subject's answer, cut at the places of mandate, purpose, receipt, score id, code and last day of validity."""

    parts: tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]
    _for: tuple[str, str] | None = None  # mandate and purpose of the last call, which the next often names again
    _before: bytes = b""  # all before the receipt, for those; and the digest so far
    _begun: Any = None

    @classmethod
    def of(cls, words: JsonFragments, told: ScoreValues) -> ResponseTemplate:
        """Lay out what is `told` of a subject in the words of its book."""
        return cls((
            b'{"base_points":%b,%b,"mandate":' % (json_points(told.base_points), words.probability_and_grades(told)),
            b',"missing":%b,"model":%b,"notice":%b,"points":%b,"purpose":'
            % (words.missing(told), words.model, _NOTICE, json_points(told.points)),
            b',"reasons":[%b],' % words.reasons(told),
            b'"release":%b,"rules":[%b],"score_id":' % (words.release, words.rules(told)),
            b',"snapshot":%b,' % words.snapshot,
            b'"valid_until":',
            b',"version":%b}' % words.version,
        ))  # fmt: skip

    def fill(self, *, uscc: str, mandate: str, purpose: str, score_id: str, valid_until: str) -> FilledResponse:
        """The answer to one call, still without its receipt; its digest is what the ledger will hold."""
        a, b, c, d, e, f, g = self.parts
        if self._for != (mandate, purpose):
            self._before = b"".join((a, json_string(mandate), b, json_string(purpose), c))
            self._begun, self._for = sha256(self._before), (mandate, purpose)
        between = b"".join((d, json_string(score_id), e))
        after = b"".join((f, json_string(valid_until), g))
        return FilledResponse.of(uscc, self._before, self._begun, between, after)


@dataclass(slots=True)
class FilledResponse:
    """An answer around the two places that its digest leaves out."""

    uscc: str
    before: bytes
    between: bytes
    after: bytes
    digest: str
    _begun: Any  # the digest so far, after `before`

    @classmethod
    def of(cls, uscc: str, before: bytes, begun: Any, between: bytes, after: bytes) -> FilledResponse:
        """The answer around these; `begun` is the SHA-256 of `before`, from where both digests go on."""
        whole = begun.copy()
        whole.update(between)
        whole.update(after)
        return cls(uscc, before, between, after, whole.hexdigest(), begun)

    def whole(self, *, entry: str, seq: int) -> bytes:
        """The body to send, once the entry is durable."""
        return self.before + self._rest(entry, seq)

    def digested(self, *, entry: str, seq: int) -> tuple[bytes, str]:
        """The same, and its SHA-256 in hex."""
        rest, whole = self._rest(entry, seq), self._begun.copy()
        whole.update(rest)
        return self.before + rest, whole.hexdigest()

    def _rest(self, entry: str, seq: int) -> bytes:
        receipt = f'"receipt":{{"digest":"{self.digest}","entry":"{entry}","seq":{seq}}},'
        return b"".join((receipt.encode(), self.between, f'"uscc":"{self.uscc}",'.encode(), self.after))


class ResponseTemplates:
    """Sheets laid out lately, by snapshot and row."""

    def __init__(self) -> None:
        """None yet."""
        self._held: DecisionCache[tuple[str, str, int], ResponseTemplate] = DecisionCache(MAX_TEMPLATES)
        self._words: DecisionCache[tuple[str, str], JsonFragments] = DecisionCache(MAX_SNAPSHOTS)

    def of(self, book: ActiveSnapshot, row: int) -> ResponseTemplate:
        """The sheet of the subject in `row`, laid out now if it was not lately. Raises Broken as `stored`."""
        name = (book.snapshot, book.version, row)
        held = self._held.get(name)
        if held is None:
            held = ResponseTemplate.of(self._words_of(book), stored_values(book, row))
            self._held.put(name, held)
        return held

    def _words_of(self, book: ActiveSnapshot) -> JsonFragments:
        words = self._words.get((book.snapshot, book.version))
        if words is None:
            words = JsonFragments.of(book)
            self._words.put((book.snapshot, book.version), words)
        return words
