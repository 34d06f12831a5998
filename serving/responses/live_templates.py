"""A live answer's bytes, laid out once a book: what is left of a call is its numbers, what was brought, and who asked.

The bytes are the canonical form of `live.score_with`, which is the source of what an answer says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from credit.canonical import canonical
from credit.errors import Malformed
from serving.data.snapshot import Book
from serving.responses.compose import NOT_A_SCORE, NOTICE
from serving.responses.json_fragments import Words, number, quoted
from serving.responses.live_schemas import commitment, commitment_of
from serving.responses.response_templates import Filled
from serving.responses.score_values import Told
from serving.state.decision_cache import Remembered

BOOKS, NAMINGS = 8, 256  # whose words are kept; and how many ways of naming what is brought, for each
_NOTICES = {"fused": canonical(NOTICE), "what_if": canonical(NOT_A_SCORE)}
Values = Mapping[str, float | None]


class Named(NamedTuple):
    """Which features are brought: their columns in the order they came in, and their names in order, as JSON."""

    columns: NDArray[np.intp]
    names: bytes
    order: tuple[int, ...]  # of those columns, as the names are sorted
    values: bytes  # canonical JSON of the values, each still to be filled in

    def commitment(self, brought: Values, salt: str) -> str:
        """As `live_forms.commitment` of floats, which these are as they were read, at half the cost."""
        values = list(brought.values())
        quick = commitment_of([values[place] for place in self.order], self.values, salt)
        return quick or commitment(brought, salt)


@dataclass(frozen=True, slots=True)
class LiveSheet:
    """What a book's live answers are made of."""

    words: Words
    features: NDArray[np.float64]  # (n, F) of the snapshot
    places: Mapping[str, int]
    namings: Remembered[tuple[str, ...], Named]

    @classmethod
    def of(cls, book: Book) -> LiveSheet:
        """Lay out the words of a book."""
        places = {name: place for place, name in enumerate(book.card.names)}
        return cls(Words.of(book), np.asarray(book.features), places, Remembered(NAMINGS))

    def named(self, brought: Values) -> Named:
        """What is brought, by name alone. Raises Malformed for a name that the model has not, and names none."""
        names = tuple(brought)
        held = self.namings.get(names)
        if held is None:
            unknown = sum(name not in self.places for name in names)
            if unknown:
                raise Malformed("live-templates.these-features-cannot-be-scored", unknown=unknown)
            held = self._name(names)
            self.namings.put(names, held)
        return held

    def _name(self, names: tuple[str, ...]) -> Named:
        order = tuple(sorted(range(len(names)), key=names.__getitem__))
        ordered = [names[place] for place in order]
        each = (canonical(name).replace(b"%", b"%%") + b":%b" for name in ordered)
        columns = np.array([self.places[name] for name in names], dtype=np.intp)
        return Named(columns, canonical(ordered), order, b"{%b}" % b",".join(each))

    def row(self, row: int, named: Named, brought: Values) -> NDArray[np.float64]:
        """The snapshot's features (F,) with what is brought in their place, NaN for null."""
        features = np.array(self.features[row], dtype=np.float64)
        features[named.columns] = np.array(list(brought.values()), dtype=np.float64)
        return features

    def fill(
        self, told: Told, named: Named, *, kind: str, salt: str, commitment: str, score_id: str, uscc: str,
        mandate: str, purpose: str, valid_until: str,
    ) -> Filled:  # fmt: skip
        """The answer to one call, still without its receipt."""
        words = self.words
        before = (
            b'{"base_points":%b,"brought":{"commitment":"%b","features":%b,"salt":"%b"},%b,"kind":"%b","mandate":%b,'
            b'"missing":%b,"model":%b,"notice":%b,"points":%b,"purpose":%b,"reasons":[%b],'
        ) % (
            number(told.base_points), commitment.encode(), named.names, salt.encode(),
            words.standing(told), kind.encode(), quoted(mandate), words.missing(told), words.model, _NOTICES[kind],
            number(told.points), quoted(purpose), words.reasons(told),
        )  # fmt: skip
        between = b'"release":%b,"rules":[%b],"score_id":%b,"snapshot":%b,' % (
            words.release, words.rules(told), quoted(score_id), words.snapshot,
        )  # fmt: skip
        after = b'"valid_until":%b,"version":%b}' % (quoted(valid_until), words.version)
        return Filled.of(uscc, before, sha256(before), between, after)


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
