"""Replay: an earlier answer, computed again from the sealed features and the sealed model, and compared by digest."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from credit.destruction import destruction_record
from credit.errors import Broken, Malformed, Missing
from credit.ledger import Entry, Ledger
from credit.shelf import Shelf
from credit.subjects import SubjectKey
from models.scoring.scorer import Scorer
from serving.data.snapshot import SnapshotPointers, open_snapshot
from serving.endpoints.scores.live import line_with, score_with
from serving.responses.compose import answer_digest, compose
from serving.responses.live_schemas import read_supplied_values


@dataclass(frozen=True, slots=True)
class ReplayedAnswer:
    """An answer that was computed again with the same digest, and the entry that recorded it.

    `answer` is without code and receipt.
    """

    entry: Entry
    answer: dict[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class ReplayInput:
    """What a bank supplied to a live score: values by feature, and the salt in its answer."""

    features: Mapping[str, float | None] = field(repr=False)
    salt: str = field(repr=False)

    @classmethod
    def parse(cls, text: bytes) -> ReplayInput:
        """Read `{"features": {name: number or null}, "salt": hex}`. Raises Malformed without repeating a value."""
        return cls(*read_supplied_values(text))


def replay(score_id: str, ledger: Ledger, shelf: Shelf, supplied: ReplayInput | None = None) -> ReplayedAnswer:
    """Compute an answer again: score the snapshot's features with the version, compose the answer, and compare its
    digest.

    A live score also needs what the bank `supplied`, which the service does not store. The ledger's chain and both
    seals are verified; it does not matter that the seals have expired since.

    Raises Malformed or Missing when no such answer was given, Broken when the digest differs from the recorded one.
    """
    try:
        wanted = str(uuid.UUID(score_id))
    except ValueError as error:
        raise Malformed("replay.not-score-id") from error
    entry = next((each for each in ledger.about(wanted) if each.verb in ("score.answered", "score.live")), None)
    if entry is None:
        raise Missing("replay.no-answer-with-id-in")
    details = entry.details
    destruction = destruction_record(shelf, details["snapshot"])
    pointers = SnapshotPointers(details["model"], details["version"], details["version"], details["snapshot"])
    snapshot = open_snapshot(shelf, pointers, destruction.excerpt if destruction else None)
    row = snapshot.row_of(SubjectKey(details["subject"]))
    if row is None:
        raise Broken("replay.snapshot-does-not-hold-subject")
    scorer = Scorer.load(shelf.open(details["version"], deep=False).path)
    context = {"score_id": wanted, "mandate": details["mandate"], "purpose": details["purpose"],
             "valid_until": date.fromisoformat(details["valid_until"])}  # fmt: skip
    if entry.verb == "score.live":
        if supplied is None:
            raise Missing("replay.features-score-bank")
        form = details.get("reasons", "points")  # an answer of before trials had ranks has points
        answer = score_with(
            snapshot, scorer, row, supplied.features, details["kind"], reason_form=form, salt=supplied.salt, **context
        )
    else:
        features = np.array(snapshot.features[row], dtype=np.float64)
        answer = compose(snapshot, line_with(scorer, features), **context)
    if answer_digest(answer) != details["digest"]:
        raise Broken("replay.answer-made-again-not-one", seq=entry.seq)
    return ReplayedAnswer(entry, answer, details["digest"])
