"""Replay: an old answer made again from the sealed features and the sealed model, and compared by digest."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from credit.errors import Broken, Malformed, Missing
from credit.ledger import Entry, Ledger
from credit.shelf import Shelf
from credit.subjects import SubjectKey
from serving.answers import Line, answer_digest, compose
from serving.snapshots import Pointed, open_book


@dataclass(frozen=True, slots=True)
class Replayed:
    """An answer that came out the same again, with the entry that recorded it. `answer` is without code and receipt."""

    entry: Entry
    answer: dict[str, Any]
    digest: str


def replay(score_id: str, ledger: Ledger, shelf: Shelf) -> Replayed:
    """Recompute an answer: features of the snapshot, scored by the version, put into words, digested.

    The ledger is walked and both seals are verified on the way; that they have lapsed since does not matter here.
    Raises Malformed or Missing when no such answer was given, Broken when what comes out is not what was answered then.
    """
    from models.scorer import Scorer  # here: LightGBM takes seconds to import, and nothing else of ours here needs it

    try:
        wanted = str(uuid.UUID(score_id))
    except ValueError as error:
        raise Malformed("This is not a score's id", why="it is written as a UUID") from error
    entry = next((e for e in ledger.about(wanted) if e.verb == "score.answered"), None)
    if entry is None:
        raise Missing("No answer with this id is in the ledger", remedy="Refused calls have no answer to replay")
    told = entry.because
    book = open_book(shelf, Pointed(told["model"], told["version"], told["version"], told["snapshot"]))
    row = book.row_of(SubjectKey(told["subject"]))
    if row is None:
        raise Broken("The snapshot does not hold the subject that was answered about")
    features = np.array(book.features[row], dtype=np.float64)
    scores = Scorer.load(shelf.open(told["version"], deep=False).path).score(features[None, :])
    numbers = float(scores.probability[0]), float(scores.points[0]), scores.base_points
    line = Line(features, *numbers, scores.point_contributions[0], scores.grades[0])
    until = date.fromisoformat(told["valid_until"])
    answer = compose(book, line, score_id=wanted, mandate=told["mandate"], purpose=told["purpose"], valid_until=until)
    if answer_digest(answer) != told["digest"]:
        raise Broken("The answer made again is not the one that was given", why=f"entry {entry.seq}")
    return Replayed(entry, answer, told["digest"])
