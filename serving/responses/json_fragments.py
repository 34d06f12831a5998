"""The words of a book's answers, laid out once as JSON: only numbers are written when somebody asks.

Both kinds of answers are made of them, by code (`serving.responses.response_templates`) and live
(`serving.responses.live_templates`);
their bytes are the canonical form of what `serving.responses.compose` composes, the source of what an answer says.
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
    """How many points so many cents are, without the sign."""

    def __missing__(self, cents: int) -> bytes:
        return repr(abs(cents) / 100).encode()


_POINTS = _Points()
_POINTS.update({cents: _POINTS[cents] for cents in range(-9999, 10_000)})  # the scale of most models


class ReasonFragments(NamedTuple):
    """What the reason of one feature says before its points, and after."""

    raises: bytes
    lowers: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class JsonFragments:
    """The words of one book, each as JSON."""

    names: tuple[bytes, ...]
    each: tuple[ReasonFragments, ...]
    each_rule: Mapping[GradeCap, bytes]
    grades: Mapping[str, bytes]
    model: bytes
    release: bytes
    snapshot: bytes
    version: bytes

    @classmethod
    def of(cls, book: ActiveSnapshot) -> JsonFragments:
        """Lay them out."""
        card = book.card
        return cls(
            tuple(map(canonical, card.names)),
            tuple(map(_reason, card.features)),
            {rule: canonical({"code": rule.feature, "grade": rule.grade, "zh": rule.zh, "en": rule.en})
             for rule in card.rules},
            {grade: b'"grade":%b,"grade4":%b' % (canonical(grade), canonical(grade[0])) for grade in card.grades},
            canonical(book.model), canonical(book.release),
            canonical({"id": book.snapshot, "as_of": book.as_of.isoformat()}), canonical(book.version),
        )  # fmt: skip

    def reasons(self, told: ScoreValues) -> bytes:
        """The reasons that move the points, the strongest first."""
        each, cents = self.each, told.cents
        moving = told.strongest[: len(cents) - cents.count(0)]  # the strongest come first
        words = [
            word
            for column in moving
            for reason in (each[column],)
            for some in (cents[column],)
            for word in (reason[some < 0], _POINTS[some], reason[2])
        ]
        return b"".join(words)[:-1]

    def rules(self, told: ScoreValues) -> bytes:
        """The rules that were met."""
        return b",".join([self.each_rule[rule] for rule in told.rules])

    def missing(self, told: ScoreValues) -> bytes:
        """What is missing, and the policy."""
        return b'{"features":[%b],"policy":%b}' % (b",".join([self.names[one] for one in told.missing]), _MISSING)

    def probability_and_grades(self, told: ScoreValues) -> bytes:
        """Probability and grades."""
        probability = repr(round(told.probability, PROBABILITY_DIGITS)).encode()
        return b'"default_probability":%b,%b' % (probability, self.grades[told.grade])


def json_points(points: float) -> bytes:
    """Points in whole hundredths."""
    return repr(round(points * 100) / 100).encode()


def json_string(word: str) -> bytes:
    """A word that a caller gave, as JSON."""
    return encode_basestring(word).encode()


def _reason(feature: ScorecardFeature) -> ReasonFragments:
    code, title, zh, en = map(canonical, (feature.name, feature.title, feature.zh, feature.en))
    raises, lowers = (
        b'{"code":%b,"direction":"%b","en":%b,"points":%b' % (code, which, en, sign)
        for which, sign in ((b"raises", b""), (b"lowers", b"-"))
    )
    return ReasonFragments(raises, lowers, b',"title":%b,"zh":%b},' % (title, zh))
