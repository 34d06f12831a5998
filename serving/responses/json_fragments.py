"""The JSON fragments of a snapshot's answers, encoded once: per answer only the numbers are encoded.

Stored answers (`serving.responses.response_templates`) and live answers (`serving.responses.live_templates`) are
both joined from these fragments. Their bytes are the canonical JSON of what `serving.responses.compose` composes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import NamedTuple

from credit.canonical import canonical
from models.scoring.scorecard import GradeCap, ScorecardFeature
from serving.data.snapshot import ActiveSnapshot
from serving.responses.compose import MISSING_POLICY, PROBABILITY_DIGITS
from serving.responses.score_values import ScoreValues

_MISSING = canonical(MISSING_POLICY)


class _Points(dict[int, bytes]):
    """The text of an amount in hundredths of a point, without its sign."""

    def __missing__(self, cents: int) -> bytes:
        return repr(abs(cents) / 100).encode()


_POINTS = _Points()
_POINTS.update({cents: _POINTS[cents] for cents in range(-9999, 10_000)})  # the range of most models


class ReasonFragments(NamedTuple):
    """The JSON of one feature's reason before its points, for either direction, and after them."""

    raises: bytes
    lowers: bytes
    after: bytes
    ranked_raises: bytes
    ranked_lowers: bytes


@dataclass(frozen=True, slots=True)
class JsonFragments:
    """The constant parts of one snapshot's answers, each as JSON."""

    names: tuple[bytes, ...]
    reason_fragments: tuple[ReasonFragments, ...]
    rule_fragments: Mapping[GradeCap, bytes]
    grades: Mapping[str, bytes]
    model: bytes
    release: bytes
    snapshot: bytes
    version: bytes

    @classmethod
    def of(cls, snapshot: ActiveSnapshot) -> JsonFragments:
        """Encode the constant parts of a snapshot's answers."""
        scorecard = snapshot.scorecard
        return cls(
            tuple(map(canonical, scorecard.names)),
            tuple(map(_reason, scorecard.features)),
            {rule: canonical({"code": rule.feature, "grade": rule.grade, "zh": rule.zh, "en": rule.en})
             for rule in scorecard.rules},
            {grade: b'"grade":%b,"grade4":%b' % (canonical(grade), canonical(grade[0])) for grade in scorecard.grades},
            canonical(snapshot.model), canonical(snapshot.release),
            canonical({"id": snapshot.snapshot, "as_of": snapshot.as_of.isoformat()}), canonical(snapshot.version),
        )  # fmt: skip

    def reasons(self, values: ScoreValues) -> bytes:
        """The reasons with points other than zero, the largest first."""
        reason_fragments, cents = self.reason_fragments, values.cents
        moving = values.strongest[
            : len(cents) - cents.count(0)
        ]  # columns are in falling order of points, so those with zero are last
        pieces = [
            piece
            for column in moving
            for reason in (reason_fragments[column],)
            for amount in (cents[column],)
            for piece in (reason[amount < 0], _POINTS[amount], reason[2])
        ]
        return b"".join(pieces)[:-1]

    def ranked_reasons(self, values: ScoreValues) -> bytes:
        """The same reasons with their rank in the place of their points."""
        cents, pieces = values.cents, list[bytes]()
        for rank, column in enumerate(values.strongest[: len(cents) - cents.count(0)], 1):
            reason = self.reason_fragments[column]
            begin = reason.ranked_lowers if cents[column] < 0 else reason.ranked_raises
            pieces += (begin, b"%d" % rank, reason.after)
        return b"".join(pieces)[:-1]

    def rules(self, values: ScoreValues) -> bytes:
        """The rules of direct judgment that the subject meets."""
        return b",".join([self.rule_fragments[rule] for rule in values.rules])

    def missing(self, values: ScoreValues) -> bytes:
        """The missing features and the policy for them."""
        return b'{"features":[%b],"policy":%b}' % (
            b",".join([self.names[column] for column in values.missing]),
            _MISSING,
        )

    def probability_and_grades(self, values: ScoreValues) -> bytes:
        """The default probability and both grades."""
        probability = repr(round(values.probability, PROBABILITY_DIGITS)).encode()
        return b'"default_probability":%b,%b' % (probability, self.grades[values.grade])


def json_points(points: float) -> bytes:
    """Points in whole hundredths, as JSON."""
    return repr(round(points * 100) / 100).encode()


def json_string(text: str) -> bytes:
    """A caller's text as a JSON string."""
    return encode_basestring(text).encode()


def _reason(feature: ScorecardFeature) -> ReasonFragments:
    code, title, zh, en = map(canonical, (feature.name, feature.title, feature.zh, feature.en))
    raises, lowers = (
        b'{"code":%b,"direction":"%b","en":%b,"points":%b' % (code, direction, en, sign)
        for direction, sign in ((b"raises", b""), (b"lowers", b"-"))
    )
    ranked = (
        b'{"code":%b,"direction":"%b","en":%b,"rank":' % (code, direction, en) for direction in (b"raises", b"lowers")
    )
    return ReasonFragments(raises, lowers, b',"title":%b,"zh":%b},' % (title, zh), *ranked)
