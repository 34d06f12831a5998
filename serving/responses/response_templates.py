"""The byte template of a stored answer, made once per subject and snapshot; a request adds the caller, ids and the day.

The bytes are those of `serving.responses.compose` in canonical form, cut where a request's own values go. Replay
composes the answer again and arrives at the same digest.
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

MAX_TEMPLATES = 4096  # templates in the cache, about 6 KB each with a dozen features
MAX_SNAPSHOTS = 8  # snapshots whose fragments are in the cache
_NOTICE = canonical(NOTICE)


@dataclass(slots=True)
class ResponseTemplate:
    """One subject's answer, cut at the places of mandate, purpose, receipt, score id, code and last day of validity."""

    parts: tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]
    _filled_for: tuple[str, str] | None = None  # mandate and purpose of the last request, which the next often repeats
    _head: bytes = b""  # the bytes before the receipt, for that mandate and purpose
    _hash: Any = None

    @classmethod
    def of(cls, fragments: JsonFragments, values: ScoreValues) -> ResponseTemplate:
        """Encode a subject's values with the fragments of its snapshot."""
        return cls((
            b'{"base_points":%b,%b,"mandate":'
            % (json_points(values.base_points), fragments.probability_and_grades(values)),
            b',"missing":%b,"model":%b,"notice":%b,"points":%b,"purpose":'
            % (fragments.missing(values), fragments.model, _NOTICE, json_points(values.points)),
            b',"reasons":[%b],' % fragments.reasons(values),
            b'"release":%b,"rules":[%b],"score_id":' % (fragments.release, fragments.rules(values)),
            b',"snapshot":%b,' % fragments.snapshot,
            b'"valid_until":',
            b',"version":%b}' % fragments.version,
        ))  # fmt: skip

    def fill(self, *, uscc: str, mandate: str, purpose: str, score_id: str, valid_until: str) -> FilledResponse:
        """The answer to one request, without its receipt; the ledger records its digest."""
        a, b, c, d, e, f, g = self.parts
        if self._filled_for != (mandate, purpose):
            self._head = b"".join((a, json_string(mandate), b, json_string(purpose), c))
            self._hash, self._filled_for = sha256(self._head), (mandate, purpose)
        between = b"".join((d, json_string(score_id), e))
        after = b"".join((f, json_string(valid_until), g))
        return FilledResponse.of(uscc, self._head, self._hash, between, after)


@dataclass(slots=True)
class FilledResponse:
    """An answer in the pieces around its receipt and its code, which the digest leaves out."""

    uscc: str
    before: bytes
    between: bytes
    after: bytes
    digest: str
    _hash: Any  # SHA-256 object after `before`

    @classmethod
    def of(cls, uscc: str, before: bytes, hasher: Any, between: bytes, after: bytes) -> FilledResponse:
        """The answer in these pieces. `hasher` is the SHA-256 of `before`, from which both digests continue."""
        whole = hasher.copy()
        whole.update(between)
        whole.update(after)
        return cls(uscc, before, between, after, whole.hexdigest(), hasher)

    def whole(self, *, entry: str, seq: int) -> bytes:
        """The body to send, once the ledger entry is durable."""
        return self.before + self._rest(entry, seq)

    def digested(self, *, entry: str, seq: int) -> tuple[bytes, str]:
        """The body to send, and its SHA-256 in hex."""
        rest, whole = self._rest(entry, seq), self._hash.copy()
        whole.update(rest)
        return self.before + rest, whole.hexdigest()

    def _rest(self, entry: str, seq: int) -> bytes:
        receipt = f'"receipt":{{"digest":"{self.digest}","entry":"{entry}","seq":{seq}}},'
        return b"".join((receipt.encode(), self.between, f'"uscc":"{self.uscc}",'.encode(), self.after))


class ResponseTemplates:
    """A cache of templates by snapshot, version and row."""

    def __init__(self) -> None:
        """No template is made yet."""
        self._templates: DecisionCache[tuple[str, str, int], ResponseTemplate] = DecisionCache(MAX_TEMPLATES)
        self._fragments: DecisionCache[tuple[str, str], JsonFragments] = DecisionCache(MAX_SNAPSHOTS)

    def of(self, snapshot: ActiveSnapshot, row: int) -> ResponseTemplate:
        """The template of the subject in `row`, made now if it is not cached. Raises Broken as `stored_values`."""
        name = (snapshot.snapshot, snapshot.version, row)
        template = self._templates.get(name)
        if template is None:
            template = ResponseTemplate.of(self._fragments_of(snapshot), stored_values(snapshot, row))
            self._templates.put(name, template)
        return template

    def _fragments_of(self, snapshot: ActiveSnapshot) -> JsonFragments:
        fragments = self._fragments.get((snapshot.snapshot, snapshot.version))
        if fragments is None:
            fragments = JsonFragments.of(snapshot)
            self._fragments.put((snapshot.snapshot, snapshot.version), fragments)
        return fragments
