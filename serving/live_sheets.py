"""A live answer's bytes, laid out once a book: what is left of a call is its numbers, what was brought, and who asked.

The bytes are the canonical form of `live.score_with`, which is the source of what an answer says; here its words lie
ready, and only numbers are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from credit.canonical import canonical
from credit.errors import Malformed
from models.scorecard import Feature, Rule
from serving.answers import MISSING, NOT_A_SCORE, NOTICE, PROBABILITY_DIGITS
from serving.numbers import Told
from serving.remembered import Remembered
from serving.sheets import Filled
from serving.snapshots import Book

BOOKS, NAMINGS = 8, 256  # whose words are kept; and how many ways of naming what is brought, for each
_CENTS = tuple(repr(cents / 100).encode() for cents in range(10_000))
_NOTICES = {"fused": canonical(NOTICE), "what_if": canonical(NOT_A_SCORE)}
_MISSING = canonical(MISSING)
Values = Mapping[str, float | None]


class Named(NamedTuple):
    """Which features are brought: their columns in the order they came in, and their names in order, as JSON."""

    columns: NDArray[np.intp]
    names: bytes


class Words(NamedTuple):
    """What the reason of one feature says before its points, and after."""

    raises: bytes
    lowers: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class LiveSheet:
    """The words of a book's live answers, each as JSON."""

    features: NDArray[np.float64]  # (n, F) of the snapshot
    places: Mapping[str, int]
    names: tuple[bytes, ...]
    reasons: tuple[Words, ...]
    rules: Mapping[Rule, bytes]
    grades: Mapping[str, bytes]
    model: bytes
    release: bytes
    snapshot: bytes
    version: bytes
    namings: Remembered[tuple[str, ...], Named]

    @classmethod
    def of(cls, book: Book) -> LiveSheet:
        """Lay out the words of a book."""
        card = book.card
        return cls(
            np.asarray(book.features),
            {name: place for place, name in enumerate(card.names)},
            tuple(map(canonical, card.names)),
            tuple(map(_words, card.features)),
            {rule: canonical({"code": rule.feature, "grade": rule.grade, "zh": rule.zh, "en": rule.en})
             for rule in card.rules},
            {grade: b'"grade":%b,"grade4":%b' % (canonical(grade), canonical(grade[0])) for grade in card.grades},
            canonical(book.model), canonical(book.release),
            canonical({"id": book.snapshot, "as_of": book.as_of.isoformat()}), canonical(book.version),
            Remembered(NAMINGS),
        )  # fmt: skip

    def named(self, brought: Values) -> Named:
        """What is brought, by name alone. Raises Malformed for a name that the model has not, and names none."""
        names = tuple(brought)
        held = self.namings.get(names)
        if held is None:
            unknown = sum(name not in self.places for name in names)
            if unknown:
                why = f"{unknown} of the features are not the model's"
                raise Malformed(
                    "These features cannot be scored", why=why, remedy="Name them as an answer's reasons do"
                )
            held = Named(np.array([self.places[name] for name in names], dtype=np.intp), canonical(sorted(names)))
            self.namings.put(names, held)
        return held

    def row(self, row: int, brought: Values) -> NDArray[np.float64]:
        """The snapshot's features (F,) with what is brought in their place, NaN for null. Raises as `named`."""
        features = np.array(self.features[row], dtype=np.float64)
        features[self.named(brought).columns] = np.array(list(brought.values()), dtype=np.float64)
        return features

    def fill(
        self, told: Told, brought: Values, *, kind: str, salt: str, commitment: str, score_id: str, uscc: str,
        mandate: str, purpose: str, valid_until: str,
    ) -> Filled:  # fmt: skip
        """The answer to one call, still without its receipt. Raises Malformed as `named`."""
        reasons: list[bytes] = []
        for column in told.strongest:
            cents = told.cents[column]
            if not cents:
                break  # the strongest come first
            raises, lowers, after = self.reasons[column]
            reasons += (raises, _points(cents), after) if cents > 0 else (lowers, _points(-cents), after)
        before = (
            b'{"base_points":%b,"brought":{"commitment":"%b","features":%b,"salt":"%b"},"default_probability":%b,%b,'
            b'"kind":"%b","mandate":%b,"missing":{"features":[%b],"policy":%b},"model":%b,"notice":%b,"points":%b,'
            b'"purpose":%b,"reasons":[%b],'
        ) % (
            _number(told.base_points), commitment.encode(), self.named(brought).names, salt.encode(),
            repr(round(told.probability, PROBABILITY_DIGITS)).encode(), self.grades[told.grade], kind.encode(),
            _quoted(mandate), b",".join([self.names[column] for column in told.missing]), _MISSING, self.model,
            _NOTICES[kind], _number(told.points), _quoted(purpose), b"".join(reasons)[:-1],
        )  # fmt: skip
        between = b'"release":%b,"rules":[%b],"score_id":%b,"snapshot":%b,' % (
            self.release, b",".join([self.rules[rule] for rule in told.rules]), _quoted(score_id), self.snapshot,
        )  # fmt: skip
        after = b'"valid_until":%b,"version":%b}' % (_quoted(valid_until), self.version)
        return Filled.of(uscc, before, between, after)


class LiveSheets:
    """The sheets of the books that live scores were asked of lately."""

    def __init__(self) -> None:
        """None yet."""
        self._held: Remembered[tuple[str, str], LiveSheet] = Remembered(BOOKS)

    def of(self, book: Book) -> LiveSheet:
        """The book's sheet, laid out now if it was not lately."""
        name = (book.snapshot, book.version)
        held = self._held.get(name)
        if held is None:
            held = LiveSheet.of(book)
            self._held.put(name, held)
        return held


def _words(feature: Feature) -> Words:
    code, title, zh, en = map(canonical, (feature.name, feature.title, feature.zh, feature.en))
    raises, lowers = (
        b'{"code":%b,"direction":"%b","en":%b,"points":%b' % (code, which, en, sign)
        for which, sign in ((b"raises", b""), (b"lowers", b"-"))
    )
    return Words(raises, lowers, b',"title":%b,"zh":%b},' % (title, zh))


def _points(cents: int) -> bytes:
    return _CENTS[cents] if cents < len(_CENTS) else repr(cents / 100).encode()


def _number(points: float) -> bytes:
    return repr(round(points * 100) / 100).encode()


def _quoted(word: str) -> bytes:
    return encode_basestring(word).encode()
