"""What a bank brings stands for the snapshot's value, is said, is not kept, and comes out the same again to the bit."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from serving_world import BANK_FEATURES, FEATURES, PURPOSE, codes

from credit.canonical import canonical
from credit.errors import Broken, Malformed, Missing
from models.scoring.scorer import Scorer
from serving.audit.signatures import HEADER, verify
from serving.data.snapshot import SnapshotPointers, open_snapshot
from serving.endpoints.scores.replay import ReplayInput, replay
from serving.responses.compose import answer_digest
from serving.responses.live_schemas import commitment

GOOD, OTHER = codes("enterprise", 2)


def post_live(running: Any, mandate: str, features: Any, code: str = GOOD, **more: Any) -> Any:
    body = {"uscc": code, "purpose": PURPOSE, "mandate": mandate, "features": features, **more}
    headers = {"Authorization": f"Bearer {running.token()}"}
    return running.http.post("/v1/scores/live", json=body, headers=headers)


def test_a_live_score_is_the_models_score_of_the_snapshots_features_with_the_supplied_values(running: Any) -> None:
    world, mandate = running.world, running.world.grant("bohai", GOOD).id
    version, snapshot = running.seals["enterprise"][:2]
    opened = open_snapshot(world.shelf, SnapshotPointers("enterprise", version, version, snapshot))
    row = opened.row_of(world.pseudonyms.key_of(GOOD))
    for supplied in ({"honours": 4.0}, {"penalties_12m": 9, "age_years": None}, dict.fromkeys(BANK_FEATURES, 1.5)):
        document = post_live(running, mandate, supplied)
        assert document.status_code == 200, document.text
        verify(document.content, document.headers[HEADER], world.ring)
        features = np.array(opened.features[row])
        for name, value in supplied.items():
            features[FEATURES.index(name)] = np.nan if value is None else value
        scores, answer = Scorer.load(world.shelf.open(version).path).score(features[None, :]), document.json()
        assert answer["default_probability"] == round(float(scores.probability[0]), 8)
        assert answer["grade"] == scores.grades[0]
        assert answer["points"] == round(float(scores.points[0]), 2)
        assert answer["brought"]["features"] == sorted(supplied)
        assert answer["brought"]["commitment"] == commitment(supplied, answer["brought"]["salt"])
        assert ("age_years" in answer["missing"]["features"]) == bool(np.isnan(features[3]))
        assert answer_digest(answer) == answer["receipt"]["digest"]
        assert document.content == canonical(answer)


def test_it_replays_from_what_the_bank_has_and_from_nothing_else(running: Any) -> None:
    world, supplied = running.world, {"honours": 4.25, "penalties_12m": None}
    answer = post_live(running, world.grant("bohai", GOOD).id, supplied, kind="what_if").json()
    name, salt = answer["score_id"], answer["brought"]["salt"]
    again = replay(name, world.ledger, world.shelf, ReplayInput(supplied, salt))
    assert again.answer == {key: value for key, value in answer.items() if key not in ("uscc", "receipt")}
    assert "trial" in answer["notice"]["en"]
    with pytest.raises(Missing):
        replay(name, world.ledger, world.shelf)
    for other in (ReplayInput(supplied | {"honours": 4.26}, salt), ReplayInput(supplied, "00" * 16)):
        with pytest.raises(Broken):
            replay(name, world.ledger, world.shelf, other)


def test_reasons_are_by_rank_or_left_out_or_in_points_by_policy_and_replayed_in_their_form(
    running: Any, serve: Any
) -> None:
    world, supplied = running.world, {"penalties_12m": 9.0, "age_years": 1.0}
    mandate = world.grant("bohai", GOOD).id
    answers = []
    for form in ("ranks", "none", "points"):
        with serve(live_reasons=form) as other:
            answers += [post_live(other, mandate, supplied, kind=kind).json() for kind in ("fused", "what_if")]
    ranked, ranked_trial, left_out, left_out_trial, full, full_trial = (answer["reasons"] for answer in answers)
    assert [reason["rank"] for reason in ranked] == list(range(1, len(full) + 1))
    assert [(each["code"], each["direction"]) for each in ranked] == [(r["code"], r["direction"]) for r in full]
    assert not [reason for reason in ranked if "points" in reason]
    assert ranked == ranked_trial == full_trial  # a trial never has points
    assert left_out == left_out_trial == []
    assert round(answers[4]["base_points"] + sum(reason["points"] for reason in full), 2) == answers[4]["points"]
    for answer in answers:
        again = replay(answer["score_id"], world.ledger, world.shelf, ReplayInput(supplied, answer["brought"]["salt"]))
        assert again.answer["reasons"] == answer["reasons"]


@pytest.mark.attack
@pytest.mark.parametrize("kind", ["fused", "what_if"])
def test_what_public_records_give_cannot_be_stated(running: Any, kind: str) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    refused = post_live(running, mandate, {"honours": 1.0, "arrears_months": 0.0}, kind=kind)
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:haihe:problem:not-to-be-stated")
    assert refused.json()["detail"] == "a bank may state: age_years, honours, penalties_12m"
    assert post_live(running, mandate, {"honours": 1.0, "unknown": 0.0}, kind=kind).json()["type"].endswith("malformed")


@pytest.mark.attack
def test_a_snapshot_without_a_list_of_bank_features_allows_none_to_be_stated(running: Any) -> None:
    world, (version, *_) = running.world, running.seals["enterprise"]
    world.show("enterprise", version, world.snapshot("enterprise", version, 40, bank_features=[]))
    running.http.app.service.snapshots.refresh()
    refused = post_live(running, world.grant("bohai", GOOD).id, {"honours": 1.0})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:haihe:problem:not-to-be-stated")


@pytest.mark.attack
def test_a_sweep_is_stopped_for_the_day_and_the_ledger_has_one_alarm(serve: Any, world: Any) -> None:
    mandates = {code: world.grant("bohai", code).id for code in (GOOD, OTHER)}
    with serve(live_per_subject=3, trials_per_day=5) as running:

        def post(number: int, code: str, kind: str) -> int:
            answer = post_live(running, mandates[code], {"honours": float(number)}, code=code, kind=kind)
            assert answer.status_code != 429 or int(answer.headers["retry-after"]) <= 86_400
            return int(answer.status_code)

        assert [post(number, GOOD, "fused") for number in range(5)] == [200, 200, 200, 429, 429]
        assert [post(number, OTHER, "what_if") for number in range(3)] == [200, 200, 200]
        assert running.score(GOOD, mandates[GOOD]).status_code == 200  # what is no live score goes on
        (alarm,) = running.entries("sweep.suspected")
        assert (alarm.object, alarm.details["of"]) == ("bank-bohai", "one subject")
    with serve(live_per_subject=3, trials_per_day=2) as restarted:  # the counts are not forgotten
        assert post_live(restarted, mandates[OTHER], {"honours": 9.0}, code=OTHER).status_code == 429
    with serve(live_per_subject=99, trials_per_day=4) as other:
        statuses = [post_live(other, mandates[OTHER], {"honours": 1.0 * n}, code=OTHER, kind="what_if").status_code
                    for n in range(3)]  # fmt: skip
        assert statuses == [200, 429, 429]
        assert {alarm.details["of"] for alarm in other.entries("sweep.suspected")} == {"one subject", "trials"}


@pytest.mark.attack
@pytest.mark.parametrize("text", [
    "", "{", "[]", '{"features": {"honours": 31337.5}}', '{"features": {"honours": 31337.5}, "salt": "00", "u": 1}',
    '{"features": {"honours": "31337.5"}, "salt": "00"}', '{"features": {"honours": 31337.5}, "salt": "31337.5"}',
    '{"features": {"honours": NaN}, "salt": "00"}', "[" * 100_000, '{"features": {"\xff": 1}, "salt": "00"}',
])  # fmt: skip
def test_supplied_values_are_read_or_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(Malformed, match="features") as refused:
        ReplayInput.parse(text.encode("latin-1"))
    assert "31337" not in str(refused.value)
    assert ReplayInput.parse(b'{"salt": "0a", "features": {"a": null, "b": 1}}') == ReplayInput(
        {"a": None, "b": 1.0}, "0a"
    )


@pytest.mark.attack
def test_supplied_values_are_in_no_ledger_and_in_no_refusal(running: Any) -> None:
    mandate, theirs = running.world.grant("bohai", GOOD).id, running.world.grant("jincheng", GOOD).id
    assert post_live(running, mandate, {"honours": 31337.5}).status_code == 200
    refused = [
        (post_live(running, theirs, {"honours": 31337.5}), 403), (post_live(running, mandate, {"31337.5": 1.0}), 422),
        (post_live(running, mandate, {"honours": "31337.5"}), 422), (post_live(running, mandate, {}), 422),
        (post_live(running, mandate, {"honours": 31337.5}, code=OTHER), 403),
        (post_live(running, mandate, {"honours": 31337.5}, kind="else"), 422),
    ]  # fmt: skip
    for response, status in refused:
        assert response.status_code == status, response.text
        assert "31337" not in response.text
    body = json.dumps({"uscc": GOOD, "purpose": PURPOSE, "mandate": mandate, "features": {"honours": 0}})
    for number in ("NaN", "1e999", "-Infinity"):
        headers = {"Authorization": f"Bearer {running.token()}"}
        sent = running.http.post("/v1/scores/live", content=body.replace(": 0}", f": {number}}}"), headers=headers)
        assert sent.status_code == 422, sent.text
    assert b"31337" not in (running.world.root / "ledger.jsonl").read_bytes()
    assert {entry.details["kind"] for entry in running.entries("score.live")} == {"fused"}
