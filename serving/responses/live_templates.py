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
from serving.data.snapshot import ActiveSnapshot
from serving.responses.compose import NOTICE, TRIAL_NOTICE
from serving.responses.json_fragments import JsonFragments, json_points, json_string
from serving.responses.live_schemas import commitment, commitment_of
from serving.responses.response_templates import FilledResponse
from serving.responses.score_values import ScoreValues
from serving.state.decision_cache import DecisionCache

MAX_SNAPSHOTS, MAX_LAYOUTS = 8, 256  # whose words are kept; and how many ways of naming what is brought, for each
_NOTICES = {"fused": canonical(NOTICE), "what_if": canonical(TRIAL_NOTICE)}
Values = Mapping[str, float | None]


class SuppliedLayout(NamedTuple):
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
class LiveTemplate:
    """What a book's live answers are made of."""

    words: JsonFragments
    features: NDArray[np.float64]  # (n, F) of the snapshot
    places: Mapping[str, int]
    namings: DecisionCache[tuple[str, ...], SuppliedLayout]

    @classmethod
    def of(cls, book: ActiveSnapshot) -> LiveTemplate:
        """Lay out the words of a book."""
        places = {name: place for place, name in enumerate(book.card.names)}
        return cls(JsonFragments.of(book), np.asarray(book.features), places, DecisionCache(MAX_LAYOUTS))

    def named(self, brought: Values) -> SuppliedLayout:
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

    def _name(self, names: tuple[str, ...]) -> SuppliedLayout:
        order = tuple(sorted(range(len(names)), key=names.__getitem__))
        ordered = [names[place] for place in order]
        each = (canonical(name).replace(b"%", b"%%") + b":%b" for name in ordered)
        columns = np.array([self.places[name] for name in names], dtype=np.intp)
        return SuppliedLayout(columns, canonical(ordered), order, b"{%b}" % b",".join(each))

    def row(self, row: int, named: SuppliedLayout, brought: Values) -> NDArray[np.float64]:
        """The snapshot's features (F,) with what is brought in their place, NaN for null."""
        features = np.array(self.features[row], dtype=np.float64)
        features[named.columns] = np.array(list(brought.values()), dtype=np.float64)
        return features

    def fill(
        self,
        told: ScoreValues,
        named: SuppliedLayout,
        *,
        kind: str,
        salt: str,
        commitment: str,
        score_id: str,
        uscc: str,
        mandate: str,
        purpose: str,
        valid_until: str,
    ) -> FilledResponse:
        """The answer to one call, still without its receipt."""
        words = self.words
        before = (
            b'{"base_points":%b,"brought":{"commitment":"%b","features":%b,"salt":"%b"},%b,"kind":"%b","mandate":%b,'
            b'"missing":%b,"model":%b,"notice":%b,"points":%b,"purpose":%b,"reasons":[%b],'
        ) % (
            json_points(told.base_points),
            commitment.encode(),
            named.names,
            salt.encode(),
            words.probability_and_grades(told),
            kind.encode(),
            json_string(mandate),
            words.missing(told),
            words.model,
            _NOTICES[kind],
            json_points(told.points),
            json_string(purpose),
            words.reasons(told),
        )
        between = b'"release":%b,"rules":[%b],"score_id":%b,"snapshot":%b,' % (
            words.release, words.rules(told), json_string(score_id), words.snapshot,
        )  # fmt: skip
        after = b'"valid_until":%b,"version":%b}' % (json_string(valid_until), words.version)
        return FilledResponse.of(uscc, before, sha256(before), between, after)


class LiveTemplates:
    """The sheets of the books that live scores were asked of lately."""

    def __init__(self) -> None:
        """None yet."""
        self._held: DecisionCache[tuple[str, str], LiveTemplate] = DecisionCache(MAX_SNAPSHOTS)

    def of(self, book: ActiveSnapshot) -> LiveTemplate:
        """The book's sheet, laid out now if it was not lately."""
        name = (book.snapshot, book.version)
        held = self._held.get(name)
        if held is None:
            held = LiveTemplate.of(book)
            self._held.put(name, held)
        return held
