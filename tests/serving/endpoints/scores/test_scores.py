"""A bank with a mandate gets an answer that sums, names its origin, and stands in the ledger by pseudonym only."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from serving_world import AS_OF, FEATURES, PURPOSE, TODAY, codes

from models.scoring.scorer import Scorer
from models.scoring.snapshot_layout import FEATURES_FILE
from serving.responses.compose import answer_digest

MODELS = ("enterprise", "individual_business")


def row_of(world: Any, model: str, code: str) -> int:
    keys, _ = world.sorted_keys(model, 40)
    return keys.index(world.pseudonyms.key_of(code).raw)


@pytest.mark.parametrize("model", MODELS)
def test_the_answer_is_the_scorers_own_and_its_reasons_sum(running: Any, model: str) -> None:
    version, snapshot = running.seals[model][:2]
    scorer = Scorer.load(running.world.shelf.open(version).path)
    features = np.load(running.world.shelf.open(snapshot).path / FEATURES_FILE)
    seen_gaps: set[str] = set()
    for code in codes(model, 40):
        response = running.score(code, running.world.grant("bohai", code).id)
        assert response.status_code == 200, response.text
        answer = response.json()
        row = row_of(running.world, model, code)
        wanted = scorer.score(features[row : row + 1])
        assert answer["points"] == round(float(wanted.points[0]) * 100) / 100
        assert answer["default_probability"] == round(float(wanted.probability[0]), 8)
        assert answer["grade"] == wanted.grades[0]
        assert answer["grade4"] == answer["grade"][0]
        hundredths = [round(answer["base_points"] * 100), *(round(r["points"] * 100) for r in answer["reasons"])]
        assert sum(hundredths) == round(answer["points"] * 100)
        sizes = [abs(reason["points"]) for reason in answer["reasons"]]
        assert sizes == sorted(sizes, reverse=True)
        assert {reason["code"] for reason in answer["reasons"]} <= set(FEATURES)
        assert all((r["points"] > 0) == (r["direction"] == "raises") for r in answer["reasons"])
        assert [rule["grade"] for rule in answer["rules"]] == [rule.grade for rule in wanted.rule_hits[0]]
        gaps = [name for name, value in zip(FEATURES, features[row], strict=True) if np.isnan(value)]
        assert answer["missing"]["features"] == gaps
        seen_gaps.update(gaps)
        assert answer["uscc"] == code
        assert answer["model"] == model
        assert (answer["version"], answer["snapshot"]) == (version, {"id": snapshot, "as_of": str(AS_OF)})
        assert answer["release"].startswith("release-")
        assert answer["valid_until"] == str(TODAY + timedelta(days=10))  # the mandate ends before the snapshot
        assert uuid.UUID(answer["score_id"]).version == 7
        assert "not a decision" in answer["notice"]["en"]
    assert seen_gaps == {"age_years"}


def test_the_receipt_is_the_ledgers_entry_and_the_bank_can_recompute_the_digest(running: Any) -> None:
    code = codes("enterprise", 1)[0]
    mandate = running.world.grant("bohai", code)
    answer = running.score(code, mandate.id).json()
    (entry,) = running.world.ledger.about(answer["score_id"])
    assert (entry.verb, str(entry.by)) == ("score.answered", "bank:bohai")
    assert answer["receipt"] == {"entry": entry.id, "seq": entry.seq, "digest": entry.details["digest"]}
    assert answer_digest(answer) == entry.details["digest"]
    assert entry.details["subject"] == running.world.pseudonyms.hex_of(code)
    assert entry.details["mandate"] == mandate.id
    assert entry.details["bank"] == "bohai"
    assert entry.details["snapshot"] == running.seals["enterprise"][1]
    assert entry.details["status"] == 200


def test_every_call_is_in_the_ledger_the_chain_verifies_and_no_code_is_anywhere(running: Any, capfd: Any) -> None:
    known, token = codes("enterprise", 3), running.token()
    unknown = codes("enterprise", 99)[-1]
    before = running.world.ledger.verify()
    statuses = [running.score(code, running.world.grant("bohai", code).id, token=token).status_code for code in known]
    statuses.append(running.score(unknown, running.world.grant("bohai", unknown).id, token=token).status_code)
    statuses.append(running.score(known[0], known[1], token=token).status_code)  # a code in the mandate's place
    statuses.append(running.score(known[0], "x", purpose=known[2], token=token).status_code)
    statuses.append(running.score(known[0][:-1] + "0", known[1], token=token).status_code)
    statuses.append(running.score(known[0], "x", token="forged").status_code)
    assert statuses == [200, 200, 200, 404, 403, 403, 422, 401]
    assert running.world.ledger.verify() == before + len(statuses) + 4  # and the four mandates granted
    recorded = [e.details["status"] for e in running.world.ledger.entries() if e.verb.startswith("score.")]
    assert recorded == statuses
    written = (running.world.root / "ledger.jsonl").read_text() + "".join(capfd.readouterr())
    assert not re.search(r"9[12]120116", written)


def test_the_document_of_the_interface_is_openapi_3_1_with_an_example_and_needs_no_internet(running: Any) -> None:
    answer = running.http.get("/openapi.json").json()
    assert answer["openapi"].startswith("3.1")
    assert answer["components"]["schemas"]["Asked"]["examples"][0]["purpose"] == PURPOSE
    route = answer["paths"]["/v1/scores"]["post"]
    assert {"200", "401", "403", "404", "413", "422", "503"} <= set(route["responses"])
    assert route["requestBody"]["content"]["application/json"]["schema"]["$ref"] == "#/components/schemas/Asked"
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(answer)))
    assert references <= set(answer["components"]["schemas"])
    assert running.http.get("/docs").status_code == 200


def test_the_service_reports_that_it_is_live_and_ready(running: Any) -> None:
    assert running.http.get("/live").json() == {"live": True}
    answer = running.http.get("/ready")
    assert answer.status_code == 200
    assert {model: state["snapshot"] for model, state in answer.json()["models"].items()} == {
        model: running.seals[model][1] for model in MODELS
    }
