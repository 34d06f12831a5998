"""A live answer has the bytes of the composed answer, and no row's values depend on the other rows scored with it."""

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
SUPPLIED = st.dictionaries(st.sampled_from(FEATURES), VALUES, min_size=1)


@pytest.fixture(scope="module")
def snapshot(template: Any) -> ActiveSnapshot:
    return open_snapshot(World(template[0]).shelf, read_pointers(World(template[0]).shelf, "enterprise"))


@pytest.fixture(scope="module")
def scorer(template: Any, snapshot: ActiveSnapshot) -> Scorer:
    return Scorer.load(World(template[0]).shelf.open(snapshot.version).path)


@given(supplied=SUPPLIED, kind=st.sampled_from(["fused", "what_if"]), row=st.integers(0, 39), text=st.text())
def test_a_live_answer_has_the_bytes_of_the_composed_answer(
    snapshot: ActiveSnapshot, scorer: Scorer, supplied: dict[str, float | None], kind: str, row: int, text: str
) -> None:
    ids = {"score_id": text, "mandate": f"m{text}", "purpose": text}
    expected = score_with(snapshot, scorer, row, supplied, kind, salt=SALT, valid_until=date(2026, 12, 1), **ids)
    live_template = LiveTemplate.of(snapshot)
    layout = live_template.layout(supplied)
    filled = live_template.fill(
        scored_values(scorer, live_template.row(row, layout, supplied)[None])[0], layout, kind=kind, salt=SALT,
        commitment=layout.commitment(supplied, SALT), uscc="c", valid_until="2026-12-01", **ids,
    )  # fmt: skip
    receipt = {"digest": digest(canonical(expected)), "entry": "e", "seq": row}
    assert filled.whole(entry="e", seq=row) == canonical({**expected, "receipt": receipt, "uscc": "c"})


@given(supplied=st.dictionaries(st.sampled_from(FEATURES), VALUES | st.integers(-9, 10**17), min_size=1))
@example({"honours": 0.00001})
@example({"honours": -0.0000999})
@example({"honours": 1e16})
def test_the_commitment_is_to_the_canonical_json_of_floats(
    snapshot: ActiveSnapshot, supplied: dict[str, float | None]
) -> None:
    values_json = canonical({name: None if value is None else float(value) for name, value in supplied.items()})
    expected = hashlib.sha256(bytes.fromhex(SALT) + values_json).hexdigest()
    assert commitment(supplied, SALT) == expected
    floats = {name: None if value is None else float(value) for name, value in supplied.items()}
    assert LiveTemplate.of(snapshot).layout(floats).commitment(floats, SALT) == expected


def test_rows_scored_together_have_the_values_of_each_row_alone(snapshot: ActiveSnapshot, scorer: Scorer) -> None:
    rows = np.array(snapshot.features[:20], dtype=np.float64)
    assert scored_values(scorer, rows) == [scored_values(scorer, row[None])[0] for row in rows]


def test_requests_of_one_moment_are_scored_together_and_a_bad_one_fails_alone(
    snapshot: ActiveSnapshot, template: Any
) -> None:
    rows = np.array(snapshot.features[:9], dtype=np.float64)
    rows[4, 0] = np.inf
    scorers = ScorerCache(World(template[0]).shelf)

    async def score_all() -> list[Any]:
        await scorers.scorer_of(snapshot.version)
        scores = [scorers.score(snapshot.version, row) for row in rows]
        return await asyncio.gather(*scores, return_exceptions=True)

    results, scorer = asyncio.run(score_all()), Scorer.load(World(template[0]).shelf.open(snapshot.version).path)
    assert isinstance(results.pop(4), Malformed)
    assert results == [scored_values(scorer, row[None])[0] for row in np.delete(rows, 4, axis=0)]


def test_eight_rows_are_scored_at_a_time_and_the_rest_with_later_arrivals(
    snapshot: ActiveSnapshot, template: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, groups = np.array(snapshot.features[0], dtype=np.float64), list[int]()
    scorers = ScorerCache(World(template[0]).shelf)

    def counted(scorer: Scorer, rows: Any) -> list[Any]:
        groups.append(len(rows))
        return scored_values(scorer, rows)

    async def arrive() -> None:
        for _ in range(3):  # one a turn of the loop
            await asyncio.sleep(0)
            tasks.append(asyncio.create_task(scorers.score(snapshot.version, row)))

    async def run() -> None:
        await scorers.scorer_of(snapshot.version)
        monkeypatch.setattr("serving.responses.live_scorers.scored_values", counted)
        tasks.extend(asyncio.create_task(scorers.score(snapshot.version, row)) for _ in range(17))
        await arrive()
        await asyncio.gather(*tasks)
        await scorers.score(snapshot.version, row)

    tasks: list[asyncio.Task[Any]] = []
    asyncio.run(run())
    assert groups == [AT_ONCE, AT_ONCE, 4, 1]


def test_an_unknown_feature_is_refused_and_not_cached(snapshot: ActiveSnapshot) -> None:
    live_template = LiveTemplate.of(snapshot)
    for _ in range(2):
        with pytest.raises(Malformed, match="1 of the features") as refused:
            live_template.layout({FEATURES[0]: 1.0, codes("enterprise", 1)[0]: 2.0})
        assert codes("enterprise", 1)[0] not in str(refused.value)
    assert not len(live_template.layouts)
