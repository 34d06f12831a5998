"""A filled template has the bytes of the composed answer, for every subject and every text that a caller sends."""

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


def test_every_subjects_template_gives_its_answer(world: Any) -> None:
    for model in ("enterprise", "individual_business"):
        snapshot = open_snapshot(world.shelf, read_pointers(world.shelf, model))
        for row in range(len(snapshot.answers)):
            ids: dict[str, Any] = {"score_id": f"s{row}", "mandate": f"m{row}", "purpose": "p"}
            expected = compose(snapshot, stored_score(snapshot, row), **ids, valid_until=date(2026, 12, 1))
            filled = ResponseTemplates().of(snapshot, row).fill(uscc="c", **ids, valid_until="2026-12-01")
            receipt = {"digest": filled.digest, "entry": "e", "seq": row}
            assert filled.digest == answer_digest(expected)
            assert filled.whole(entry="e", seq=row) == canonical({**expected, "receipt": receipt, "uscc": "c"})


@pytest.fixture(scope="module")
def response_template(template: Any) -> ResponseTemplate:
    from serving_world import World

    world = World(template[0])
    return ResponseTemplates().of(open_snapshot(world.shelf, read_pointers(world.shelf, "enterprise")), 0)


@given(score_id=st.text(), mandate=st.text(), purpose=st.text())
def test_a_callers_text_stays_within_its_json_string(
    response_template: ResponseTemplate, score_id: str, mandate: str, purpose: str
) -> None:
    filled = response_template.fill(
        uscc="c", score_id=score_id, mandate=mandate, purpose=purpose, valid_until="2026-12-01"
    )
    answer = json.loads(filled.whole(entry="e", seq=1))
    assert (answer["score_id"], answer["mandate"], answer["purpose"]) == (score_id, mandate, purpose)
    assert answer_digest(answer) == filled.digest
