"""The bytes laid out in advance are those of the answer composed anew, for every subject and every caller's words."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.canonical import canonical
from serving.data.snapshot import open_snapshot, read_pointers
from serving.responses.compose import answer_digest, compose, stored_score
from serving.responses.response_templates import ResponseTemplate, ResponseTemplates


def test_every_subjects_sheet_is_its_answer(world: Any) -> None:
    for model in ("enterprise", "individual_business"):
        book = open_snapshot(world.shelf, read_pointers(world.shelf, model))
        for row in range(len(book.answers)):
            words: dict[str, Any] = {"score_id": f"s{row}", "mandate": f"m{row}", "purpose": "p"}
            wanted = compose(book, stored_score(book, row), **words, valid_until=date(2026, 12, 1))
            filled = ResponseTemplates().of(book, row).fill(uscc="c", **words, valid_until="2026-12-01")
            receipt = {"digest": filled.digest, "entry": "e", "seq": row}
            assert filled.digest == answer_digest(wanted)
            assert filled.whole(entry="e", seq=row) == canonical({**wanted, "receipt": receipt, "uscc": "c"})


@pytest.fixture(scope="module")
def sheet(template: Any) -> ResponseTemplate:
    from serving_world import World

    world = World(template[0])
    return ResponseTemplates().of(open_snapshot(world.shelf, read_pointers(world.shelf, "enterprise")), 0)


@given(score_id=st.text(), mandate=st.text(), purpose=st.text())
def test_a_callers_words_cannot_break_out_of_their_place(
    sheet: ResponseTemplate, score_id: str, mandate: str, purpose: str
) -> None:
    filled = sheet.fill(uscc="c", score_id=score_id, mandate=mandate, purpose=purpose, valid_until="2026-12-01")
    told = json.loads(filled.whole(entry="e", seq=1))
    assert (told["score_id"], told["mandate"], told["purpose"]) == (score_id, mandate, purpose)
    assert answer_digest(told) == filled.digest
