"""Replay: an old answer made again from the sealed features and the sealed model, and compared by digest."""

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
    """An answer that came out the same again, with the entry that recorded it. `answer` is without code and receipt."""

    entry: Entry
    answer: dict[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class ReplayInput:
    """What a bank brought along: values by feature, and the salt that its answer names."""

    features: Mapping[str, float | None] = field(repr=False)
    salt: str = field(repr=False)

    @classmethod
    def parse(cls, text: bytes) -> ReplayInput:
        """Read `{"features": {name: number or null}, "salt": hex}`. Raises Malformed, and repeats no value."""
        return cls(*read_supplied_values(text))


def replay(score_id: str, ledger: Ledger, shelf: Shelf, brought: ReplayInput | None = None) -> ReplayedAnswer:
    """Recompute an answer: features of the snapshot, scored by the version, put into words, digested.

    A live score takes what was `brought` along too, which the bank has and the service has not.

    The ledger is walked and both seals are verified on the way; that they have lapsed since does not matter here.
    Raises Malformed or Missing when no such answer was given, Broken when what comes out is not what was answered then.
    """
    try:
        wanted = str(uuid.UUID(score_id))
    except ValueError as error:
        raise Malformed("replay.not-score-id") from error
    entry = next((e for e in ledger.about(wanted) if e.verb in ("score.answered", "score.live")), None)
    if entry is None:
        raise Missing("replay.no-answer-with-id-in")
    told = entry.details
    gone = destruction_record(shelf, told["snapshot"])
    pointed = SnapshotPointers(told["model"], told["version"], told["version"], told["snapshot"])
    book = open_snapshot(shelf, pointed, gone.excerpt if gone else None)
    row = book.row_of(SubjectKey(told["subject"]))
    if row is None:
        raise Broken("replay.snapshot-does-not-hold-subject")
    scorer = Scorer.load(shelf.open(told["version"], deep=False).path)
    words = {"score_id": wanted, "mandate": told["mandate"], "purpose": told["purpose"],
             "valid_until": date.fromisoformat(told["valid_until"])}  # fmt: skip
    if entry.verb == "score.live":
        if brought is None:
            raise Missing("replay.features-score-bank")
        answer = score_with(book, scorer, row, brought.features, told["kind"], salt=brought.salt, **words)
    else:
        features = np.array(book.features[row], dtype=np.float64)
        answer = compose(book, line_with(scorer, features), **words)
    if answer_digest(answer) != told["digest"]:
        raise Broken("replay.answer-made-again-not-one", seq=entry.seq)
    return ReplayedAnswer(entry, answer, told["digest"])
