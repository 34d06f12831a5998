"""The facts behind a score are given to the bank that received the score, while its mandate holds, and to no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from serving_credit_files import FIRM, OTHER, headers, shelve
from serving_world import FEATURE_TABLES, PLATFORM, TODAY

from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import revoke
from serving.endpoints.inquiries.facts import MAX_DOCUMENTS


@pytest.fixture
def scored(world: Any, serve: Any) -> Any:
    """The service with dossiers."""
    shelve(world)
    with serve() as running:
        yield running


def facts(running: Any, score_id: str, code: str = FIRM, client: str = "bohai") -> Any:
    body = {"uscc": code, "score_id": score_id}
    return running.http.post("/v1/scores/facts", json=body, headers=headers(running, client))


def test_each_reason_names_the_documents_of_its_tables(scored: Any) -> None:
    score = scored.score(FIRM, scored.world.grant("bohai", FIRM).id).json()
    answer = facts(scored, score["score_id"])
    assert answer.status_code == 200, answer.text
    matches = {fact["code"]: fact for fact in answer.json()["facts"]}
    assert [(r["code"], r["points"]) for r in score["reasons"]] == [
        (f["code"], f["points"]) for f in answer.json()["facts"]
    ]
    assert all(fact["tables"] == FEATURE_TABLES[name] for name, fact in matches.items())
    documents = {name: [each["document"] for each in fact["documents"]] for name, fact in matches.items()}
    totals = {name: fact["total"] for name, fact in matches.items()}
    wanted = {"penalties_12m": 3, "honours": 25, "arrears_months": 1, "age_years": 1}
    assert totals == {name: wanted[name] for name in matches}
    if "penalties_12m" in matches:
        assert documents["penalties_12m"] == ["罚1号", "罚2号", "罚3号"]
    assert all(len(each) <= MAX_DOCUMENTS for each in documents.values())
    ledger = (scored.world.root / "ledger.jsonl").read_text()
    assert "罚1号" not in ledger
    assert [entry.details["score"] for entry in scored.entries("facts.answered")] == [score["score_id"]]


@pytest.mark.attack
def test_facts_are_refused_to_other_banks_and_after_the_mandate_ended(scored: Any) -> None:
    mandate = scored.world.grant("bohai", FIRM).id
    score = scored.score(FIRM, mandate).json()["score_id"]
    scored.world.grant("jincheng", FIRM)
    for answer, status in (
        (facts(scored, score, client="jincheng"), 404),
        (facts(scored, score, OTHER), 404),
        (facts(scored, "no such score"), 404),
        (facts(scored, score, FIRM[:-1]), 422),
        (facts(scored, score, client="scjgj"), 403),
        (facts(scored, score), 200),
    ):
        assert answer.status_code == status, answer.text
    access = AccessDatabase(scored.world.root / "access.db")
    revoke(access, mandate, by=PLATFORM, ledger=scored.world.ledger)
    access.close()
    assert facts(scored, score).status_code == 403


def test_facts_of_an_older_snapshot_are_not_made_up(scored: Any, serve: Any, world: Any) -> None:
    score = scored.score(FIRM, world.grant("bohai", FIRM).id).json()["score_id"]
    versions = scored.seals["enterprise"]
    world.promote("enterprise", versions[2])
    world.show("enterprise", versions[2], versions[3])
    with serve(today=TODAY + timedelta(days=1)) as later:
        assert facts(later, score).status_code == 503
