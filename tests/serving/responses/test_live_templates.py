"""The bytes of a live answer are those of the answer composed anew, and nobody's numbers hang on who else asks."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from serving_world import FEATURES, World, codes

from credit.canonical import canonical, digest
from credit.errors import Malformed
from models.scoring.scorer import AT_ONCE, Scorer
from serving.data.snapshot import ActiveSnapshot, open_snapshot, read_pointers
from serving.endpoints.scores.live import score_with
from serving.responses.live_schemas import commitment
from serving.responses.live_scorers import ScorerCache
from serving.responses.live_templates import LiveTemplate
from serving.responses.score_values import scored_values

SALT = "0f" * 16
VALUES = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 12).map(float)
BROUGHT = st.dictionaries(st.sampled_from(FEATURES), VALUES, min_size=1)


@pytest.fixture(scope="module")
def book(template: Any) -> ActiveSnapshot:
    return open_snapshot(World(template[0]).shelf, read_pointers(World(template[0]).shelf, "enterprise"))


@pytest.fixture(scope="module")
def scorer(template: Any, book: ActiveSnapshot) -> Scorer:
    return Scorer.load(World(template[0]).shelf.open(book.version).path)


@given(brought=BROUGHT, kind=st.sampled_from(["fused", "what_if"]), row=st.integers(0, 39), words=st.text())
def test_a_live_answer_is_the_one_composed_anew(
    book: ActiveSnapshot, scorer: Scorer, brought: dict[str, float | None], kind: str, row: int, words: str
) -> None:
    more = {"score_id": words, "mandate": f"m{words}", "purpose": words}
    wanted = score_with(book, scorer, row, brought, kind, salt=SALT, valid_until=date(2026, 12, 1), **more)
    sheet = LiveTemplate.of(book)
    named = sheet.layout(brought)
    filled = sheet.fill(
        scored_values(scorer, sheet.row(row, named, brought)[None])[0], named, kind=kind, salt=SALT,
        commitment=named.commitment(brought, SALT), uscc="c", valid_until="2026-12-01", **more,
    )  # fmt: skip
    receipt = {"digest": digest(canonical(wanted)), "entry": "e", "seq": row}
    assert filled.whole(entry="e", seq=row) == canonical({**wanted, "receipt": receipt, "uscc": "c"})


@given(brought=st.dictionaries(st.sampled_from(FEATURES), VALUES | st.integers(-9, 10**17), min_size=1))
@example({"honours": 0.00001})
@example({"honours": -0.0000999})
@example({"honours": 1e16})
def test_the_commitment_is_to_the_canonical_json_of_floats(
    book: ActiveSnapshot, brought: dict[str, float | None]
) -> None:
    told = canonical({name: None if value is None else float(value) for name, value in brought.items()})
    wanted = hashlib.sha256(bytes.fromhex(SALT) + told).hexdigest()
    assert commitment(brought, SALT) == wanted
    floats = {name: None if value is None else float(value) for name, value in brought.items()}
    assert LiveTemplate.of(book).layout(floats).commitment(floats, SALT) == wanted


def test_many_are_told_what_each_is_told_alone(book: ActiveSnapshot, scorer: Scorer) -> None:
    rows = np.array(book.features[:20], dtype=np.float64)
    assert scored_values(scorer, rows) == [scored_values(scorer, row[None])[0] for row in rows]


def test_who_asks_at_one_moment_is_scored_together_and_suffers_from_nobody(book: ActiveSnapshot, template: Any) -> None:
    rows = np.array(book.features[:9], dtype=np.float64)
    rows[4, 0] = np.inf
    scorers = ScorerCache(World(template[0]).shelf)

    async def ask() -> list[Any]:
        await scorers.scorer_of(book.version)
        asked = [scorers.score(book.version, row) for row in rows]
        return await asyncio.gather(*asked, return_exceptions=True)

    told, scorer = asyncio.run(ask()), Scorer.load(World(template[0]).shelf.open(book.version).path)
    assert isinstance(told.pop(4), Malformed)
    assert told == [scored_values(scorer, row[None])[0] for row in np.delete(rows, 4, axis=0)]


def test_who_asks_is_scored_eight_at_a_time_and_who_is_left_over_with_who_comes_meanwhile(
    book: ActiveSnapshot, template: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, groups = np.array(book.features[0], dtype=np.float64), list[int]()
    scorers = ScorerCache(World(template[0]).shelf)

    def noted(scorer: Scorer, rows: Any) -> list[Any]:
        groups.append(len(rows))
        return scored_values(scorer, rows)

    async def come() -> None:
        for _ in range(3):  # one a turn of the loop
            await asyncio.sleep(0)
            asked.append(asyncio.create_task(scorers.score(book.version, row)))

    async def ask() -> None:
        await scorers.scorer_of(book.version)
        monkeypatch.setattr("serving.responses.live_scorers.scored_values", noted)
        asked.extend(asyncio.create_task(scorers.score(book.version, row)) for _ in range(17))
        await come()
        await asyncio.gather(*asked)
        await scorers.score(book.version, row)

    asked: list[asyncio.Task[Any]] = []
    asyncio.run(ask())
    assert groups == [AT_ONCE, AT_ONCE, 4, 1]


def test_a_name_that_is_not_the_models_is_refused_and_not_remembered(book: ActiveSnapshot) -> None:
    sheet = LiveTemplate.of(book)
    for _ in range(2):
        with pytest.raises(Malformed, match="1 of the features") as refused:
            sheet.layout({FEATURES[0]: 1.0, codes("enterprise", 1)[0]: 2.0})
        assert codes("enterprise", 1)[0] not in str(refused.value)
    assert not len(sheet.layouts)
