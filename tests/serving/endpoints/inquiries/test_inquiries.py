"""A query shows what this caller may see on this day, in the ledger and signed, and nothing else."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from serving_credit_files import FIRM, RECORDS, SHOP, UNKNOWN, documents, headers, penalty, post_query, shelve
from serving_evaluations import sheet_of
from serving_world import AS_OF, PURPOSE, TODAY

from credit.catalogue import Catalogue
from credit.errors import Malformed
from privacy.repair_periods import repair_periods
from serving.audit.signatures import verify
from serving.data.declarations import read_declaration
from serving.endpoints.inquiries.sections import SECTIONS_FILE, SectionCatalogue, section_catalogue
from serving.responses.compose import answer_digest


@pytest.fixture
def inquiring(world: Any, running: Any) -> Any:
    """The service once it has taken up dossiers made while it ran."""
    seal = shelve(world)
    wait_for(running, seal)
    return running


def wait_for(running: Any, seal: str) -> None:
    until = time.monotonic() + 20
    while running.http.get("/ready").json()["dossiers"].get("snapshot") != seal:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_is_open_takes_no_mandate_and_what_is_not_does(inquiring: Any) -> None:
    # 3 takes a mandate, 4 is disputed, 5 has ended
    assert documents(post_query(inquiring, "penalties")) == ["罚1号", "罚2号"]
    refused = post_query(inquiring, "contracts")
    assert (refused.status_code, refused.json()["findings"][0]["check"]) == (403, "mandate")
    own = {"purpose": PURPOSE, "mandate": inquiring.world.grant("bohai", FIRM).id}
    assert documents(post_query(inquiring, "penalties", **own)) == ["罚1号", "罚2号", "罚3号"]
    assert documents(post_query(inquiring, "contracts", **own)) == ["合同1号"]
    answer = post_query(inquiring, "penalties").json()
    assert answer["takes_a_mandate"] == ["administrative_penalty"]
    assert not {"use_scope", "record_state"} & set(answer["columns"]["administrative_penalty"])
    assert "record_state" not in answer["records"][0]["fields"]
    assert answer["records"][0]["repair"] == {"status": "未修复", "possible_from": "2026-09-30"}


@pytest.mark.attack
def test_an_individual_business_takes_its_own_mandate_for_everything(inquiring: Any) -> None:
    world = inquiring.world
    own, others = world.grant("bohai", SHOP).id, world.grant("jincheng", SHOP).id
    table = [
        ({}, 403),
        ({"purpose": PURPOSE}, 403),
        ({"mandate": own}, 403),
        ({"purpose": PURPOSE, "mandate": others}, 403),
        ({"purpose": PURPOSE, "mandate": world.grant("bohai", FIRM).id}, 403),
        ({"purpose": PURPOSE, "mandate": own}, 200),
    ]
    for answer, status in table:
        response = post_query(inquiring, "penalties", SHOP, **answer)
        assert response.status_code == status, answer
        assert ("店罚1号" in response.text) == (status == 200)


@pytest.mark.attack
def test_the_end_of_publication_is_checked_at_the_time_of_the_request(serve: Any, world: Any) -> None:
    shelve(world)
    for day, shown in ((TODAY, ["罚1号", "罚2号"]), (TODAY + timedelta(days=1), ["罚1号"])):
        with serve(today=day) as running:
            assert documents(post_query(running, "penalties")) == shown


def test_a_repaired_record_disappears_with_the_next_credit_files_without_a_restart(inquiring: Any) -> None:
    world = inquiring.world
    assert "罚1号" in documents(post_query(inquiring, "penalties"))
    seal = shelve(world, RECORDS | {FIRM: RECORDS[FIRM] | {"administrative_penalty": [penalty("罚2号")]}})
    wait_for(inquiring, seal)
    assert documents(post_query(inquiring, "penalties")) == ["罚2号"]
    assert [entry.object for entry in inquiring.entries("dossiers.opened")][-1] == seal


def test_pages_together_are_the_list(inquiring: Any) -> None:
    whole = documents(post_query(inquiring, "licences", size=100))
    assert len(whole) == 25
    for size in (1, 7, 25):
        first = post_query(inquiring, "licences", size=size).json()
        pages = [
            documents(post_query(inquiring, "licences", size=size, page=page)) for page in range(1, first["pages"] + 1)
        ]
        assert [each for page in pages for each in page] == whole
    assert documents(post_query(inquiring, "licences", page=9)) == []
    both = post_query(inquiring, "double-publicity", size=100).json()
    assert both["total"] == 27


def test_every_answer_is_signed_and_in_the_ledger_without_a_word_of_the_subject(inquiring: Any) -> None:
    first, second = post_query(inquiring, "penalties"), post_query(inquiring, "penalties")
    verify(first.content, first.headers["x-jws-signature"], inquiring.world.ring)
    entries = {entry.object: entry for entry in inquiring.entries("query.answered")}
    answer = first.json()
    entry = entries[answer["query_id"]]
    assert entry.id == answer["receipt"]["entry"]
    assert entry.details["digest"] == answer["receipt"]["digest"] == answer_digest(answer)
    assert entry.details["subject"] == inquiring.world.pseudonyms.hex_of(FIRM)
    assert answer["receipt"]["digest"] != second.json()["receipt"]["digest"]
    ledger = (inquiring.world.root / "ledger.jsonl").read_text()
    for word in (FIRM, "罚1号", "海河虚构", answer["salt"]):
        assert word not in ledger


def test_the_grade_of_the_evaluation_takes_a_mandate(inquiring: Any) -> None:
    assert post_query(inquiring, "evaluation").status_code == 403
    own = inquiring.world.grant("bohai", FIRM).id
    answer = post_query(inquiring, "evaluation", purpose=PURPOSE, mandate=own).json()
    sheet = sheet_of("enterprise", 0)
    assert answer["records"][0]["fields"] == {
        "grade": sheet["grade"], "grade4": sheet["grade4"], "points": sheet["points"], "valid_until": "2026-11-30",
        "sheet": sheet,
    }  # fmt: skip


@pytest.mark.attack
def test_bad_requests_are_refused_without_repeating_a_subjects_data(inquiring: Any) -> None:
    auth = headers(inquiring)
    for body, status in (
        ({"uscc": UNKNOWN}, 404), ({"uscc": FIRM[:-1]}, 422), ({"uscc": FIRM, "page": 0}, 422),
        ({"uscc": FIRM, "size": 101}, 422), ({"uscc": FIRM, FIRM: 1}, 422), ({"uscc": "../../etc/passwd"}, 422),
        ({}, 422), ({"uscc": FIRM, "page": "1"}, 422),
    ):  # fmt: skip
        response = inquiring.http.post("/v1/queries/penalties", json=body, headers=auth)
        assert response.status_code == status, body
        assert FIRM not in response.text
        assert UNKNOWN not in response.text
    assert inquiring.http.post("/v1/queries/nothing", json={"uscc": FIRM}, headers=auth).status_code == 404
    assert inquiring.http.post("/v1/queries/penalties", json={"uscc": FIRM}).status_code == 401


@pytest.mark.attack
def test_a_flipped_bit_an_unknown_key_and_age_take_inquiries_out_of_service_and_scores_stay(
    inquiring: Any, serve: Any, world: Any
) -> None:
    path = next(world.root.glob("shelf/snapshot/*/dossiers.json"))
    whole = path.read_bytes()
    path.write_bytes(whole.replace("罚1号".encode(), "罚9号".encode()))
    until = time.monotonic() + 20
    while post_query(inquiring, "penalties").status_code != 503:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert inquiring.score(FIRM, world.grant("bohai", FIRM).id).status_code == 200
    path.write_bytes(whole)
    with serve(today=AS_OF + timedelta(days=46)) as late:
        answer = post_query(late, "penalties")
        assert (answer.status_code, "haihe dossiers" in answer.json()["remedy"]) == (503, True)
    seal = world.shelf.pointer("snapshot-dossiers", {"platform"})["snapshot"]
    forged = {"model": "dossiers", "snapshot": seal, "as_of": str(AS_OF)}
    (world.root / "shelf" / "pointers" / "snapshot-dossiers.json").unlink()
    world.shelf.set_pointer("snapshot-dossiers", forged, world.key("compute"))  # not the platform's word
    with serve() as running:
        assert post_query(running, "penalties").status_code == 503


def test_without_dossiers_or_their_key_all_else_is_answered(running: Any, serve: Any, world: Any) -> None:
    assert post_query(running, "penalties").status_code == 503
    (world.root / "keys" / "pseudonym-inquiry.key").unlink()
    with serve() as keyless:
        assert post_query(keyless, "penalties").status_code == 503
        assert keyless.http.get("/ready").status_code == 200


def test_the_sections_are_the_catalogues_tables_and_the_law_is_the_same_on_both_sides() -> None:
    catalogue, answer = Catalogue.load("city"), section_catalogue()
    named = [table for section in answer.sections for table in section.tables]
    shown = {t.name for t in catalogue.tables.values() if t.subject.rule("inquiry") == "subject"}
    assert sorted(named) == sorted(shown)
    assert answer.repair.months == repair_periods().least
    register = catalogue.table("registration")
    for column in ("district", "industry", "kind"):
        assert set(answer.words[column]) == set(register.field(column).enum)
    assert set(answer.words["severity"]) == set(catalogue.table("administrative_penalty").field("severity").enum)


@pytest.mark.attack
@pytest.mark.parametrize(
    "change", [("version:", "versions:"), ("general: 3", 'general: "3"'), ("en: Taxes,", ""), ("- {name: taxes", "- [")]
)
def test_a_declaration_of_another_form_is_refused_by_name(tmp_path: Any, change: tuple[str, str]) -> None:
    text = SECTIONS_FILE.read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / "sections.yaml").write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(Malformed, match=r"sections\.yaml"):
        read_declaration(tmp_path / "sections.yaml", SectionCatalogue)
