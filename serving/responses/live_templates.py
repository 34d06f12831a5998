"""The byte template of live answers, made once per snapshot; a request adds its numbers, the supplied features and ids.

The bytes are the canonical form of `serving.endpoints.scores.live.score_with`, which defines what an answer
contains.
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
from serving.responses.live_schemas import ReasonForm, commitment, commitment_of
from serving.responses.response_templates import FilledResponse
from serving.responses.score_values import ScoreValues
from serving.state.decision_cache import DecisionCache

MAX_SNAPSHOTS, MAX_LAYOUTS = 8, 256  # snapshots in the cache, and layouts of supplied features in the cache of each
_NOTICES = {"fused": canonical(NOTICE), "what_if": canonical(TRIAL_NOTICE)}
Values = Mapping[str, float | None]


class SuppliedLayout(NamedTuple):
    """Which features a request supplies: their columns in the order received, and their names sorted, as JSON."""

    columns: NDArray[np.intp]
    names: bytes
    order: tuple[int, ...]  # positions in `columns`, in the order of the sorted names
    values: bytes  # canonical JSON with one %b per value

    def commitment(self, supplied: Values, salt: str) -> str:
        """The commitment of `serving.responses.live_schemas` for values that were read as floats, at half the cost."""
        values = list(supplied.values())
        fast = commitment_of([values[column] for column in self.order], self.values, salt)
        return fast or commitment(supplied, salt)


@dataclass(frozen=True, slots=True)
class LiveTemplate:
    """The constant parts of a snapshot's live answers."""

    fragments: JsonFragments
    features: NDArray[np.float64]  # (n, F) of the snapshot
    columns: Mapping[str, int]
    layouts: DecisionCache[tuple[str, ...], SuppliedLayout]

    @classmethod
    def of(cls, snapshot: ActiveSnapshot) -> LiveTemplate:
        """Encode the constant parts of a snapshot."""
        columns = {name: column for column, name in enumerate(snapshot.scorecard.names)}
        return cls(JsonFragments.of(snapshot), np.asarray(snapshot.features), columns, DecisionCache(MAX_LAYOUTS))

    def layout(self, supplied: Values) -> SuppliedLayout:
        """The layout of the supplied features, by their names alone.

        Raises Malformed with the number of names that the model does not know, and repeats none of them.
        """
        names = tuple(supplied)
        layout = self.layouts.get(names)
        if layout is None:
            unknown = sum(name not in self.columns for name in names)
            if unknown:
                raise Malformed("live-templates.these-features-cannot-be-scored", unknown=unknown)
            layout = self._name(names)
            self.layouts.put(names, layout)
        return layout

    def _name(self, names: tuple[str, ...]) -> SuppliedLayout:
        order = tuple(sorted(range(len(names)), key=names.__getitem__))
        ordered = [names[place] for place in order]
        each = (canonical(name).replace(b"%", b"%%") + b":%b" for name in ordered)
        columns = np.array([self.columns[name] for name in names], dtype=np.intp)
        return SuppliedLayout(columns, canonical(ordered), order, b"{%b}" % b",".join(each))

    def row(self, row: int, layout: SuppliedLayout, supplied: Values) -> NDArray[np.float64]:
        """The snapshot's features (F,) with the supplied values in their place, NaN for null."""
        features = np.array(self.features[row], dtype=np.float64)
        features[layout.columns] = np.array(list(supplied.values()), dtype=np.float64)
        return features

    def fill(
        self,
        scored: ScoreValues,
        layout: SuppliedLayout,
        *,
        kind: str,
        salt: str,
        commitment: str,
        score_id: str,
        uscc: str,
        mandate: str,
        purpose: str,
        valid_until: str,
        reason_form: ReasonForm = "points",
    ) -> FilledResponse:
        """The answer to one request, without its receipt."""
        fragments = self.fragments
        reasons = {"points": fragments.reasons, "ranks": fragments.ranked_reasons, "none": _no_reasons}[reason_form]
        before = (
            b'{"base_points":%b,"brought":{"commitment":"%b","features":%b,"salt":"%b"},%b,"kind":"%b","mandate":%b,'
            b'"missing":%b,"model":%b,"notice":%b,"points":%b,"purpose":%b,"reasons":[%b],'
        ) % (
            json_points(scored.base_points),
            commitment.encode(),
            layout.names,
            salt.encode(),
            fragments.probability_and_grades(scored),
            kind.encode(),
            json_string(mandate),
            fragments.missing(scored),
            fragments.model,
            _NOTICES[kind],
            json_points(scored.points),
            json_string(purpose),
            reasons(scored),
        )
        between = b'"release":%b,"rules":[%b],"score_id":%b,"snapshot":%b,' % (
            fragments.release, fragments.rules(scored), json_string(score_id), fragments.snapshot,
        )  # fmt: skip
        after = b'"valid_until":%b,"version":%b}' % (json_string(valid_until), fragments.version)
        return FilledResponse.of(uscc, before, sha256(before), between, after)


def _no_reasons(values: ScoreValues) -> bytes:
    return b""


class LiveTemplates:
    """The templates of the snapshots that served live scores lately."""

    def __init__(self) -> None:
        """No template is made yet."""
        self._templates: DecisionCache[tuple[str, str], LiveTemplate] = DecisionCache(MAX_SNAPSHOTS)

    def of(self, snapshot: ActiveSnapshot) -> LiveTemplate:
        """The snapshot's template, made now if it is not cached."""
        name = (snapshot.snapshot, snapshot.version)
        template = self._templates.get(name)
        if template is None:
            template = LiveTemplate.of(snapshot)
            self._templates.put(name, template)
        return template
