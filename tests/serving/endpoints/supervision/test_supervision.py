"""An agency learns tier and rate of inspection from a subject's standing; a bank does not, whatever its token says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest
from haihe_client import PermissionDeniedError, ServiceClient, ServiceKeys
from hypothesis import given
from hypothesis import strategies as st
from serving_credit_files import FIRM, OTHER, RECORDS, UNKNOWN, headers, shelve
from serving_evaluations import sheet_of
from serving_world import GRADES, codes

from credit.errors import Malformed
from serving.auth.access_database import AccessDatabase
from serving.data.declarations import read_declaration
from serving.endpoints.supervision.scale import SCALE_FILE, SupervisionScale, supervision_scale

MATTER = "SSJ-2026-0117"


@pytest.fixture
def agency(world: Any, serve: Any) -> Any:
    """The service with dossiers."""
    shelve(world, RECORDS)
    with serve() as running:
        yield running


def look(running: Any, code: str, client: str = "scjgj", matter: str = MATTER) -> Any:
    auth = headers(running, client)
    return running.http.post("/v1/evaluations", json={"uscc": code, "matter": matter}, headers=auth)


def test_tier_and_rate_follow_grade_rule_and_industry(agency: Any) -> None:
    document = supervision_scale()
    seen = set()
    for number, code in enumerate(codes("enterprise", 40)):
        answer, sheet = look(agency, code).json(), sheet_of("enterprise", number)
        assert answer["sheet"] == sheet
        assert (answer["grade"], answer["points"], answer["rules"]) == (sheet["grade"], sheet["points"], sheet["rules"])
        direct = any(rule["grade"] == "D" for rule in sheet["rules"])
        wanted = document.tier(sheet["grade"], sheet["points"], {FIRM: "C", OTHER: "K"}.get(code), direct)
        assert answer["tier"]["code"] == wanted
        assert answer["inspection"]["rate"] == document.tiers[wanted].inspection_rate
        assert answer["scale"]["en"] == ("Real estate" if code == OTHER else "the city's own")
        seen.add(direct)
    assert seen == {False, True}


def test_an_agency_gets_a_tier_with_the_client(agency: Any) -> None:
    http, keys = agency.http, ServiceKeys(agency.world.ring.keys["service"])
    answer = ServiceClient("", "scjgj", agency.secrets["scjgj"], http=http, keys=keys).supervision(FIRM, MATTER)
    same = look(agency, FIRM).json()
    assert (answer["tier"], answer["inspection"]) == (same["tier"], same["inspection"])
    bank = ServiceClient("", "bohai", agency.secrets["bohai"], http=http, keys=keys)
    with pytest.raises(PermissionDeniedError, match="supervise"):
        bank.supervision(FIRM, MATTER)


@pytest.mark.attack
def test_a_bank_is_refused_even_with_a_token_of_that_scope(agency: Any, world: Any) -> None:
    assert look(agency, FIRM, "bohai").status_code == 403
    access = AccessDatabase(world.root / "access.db")
    with pytest.raises(Malformed):
        access.add_client("greedy", ["score", "supervise"])
    with pytest.raises(Malformed):
        access.add_client("curious", ["score"], kind="agency")
    access.rows("UPDATE client SET scopes = 'supervise' WHERE name = 'jincheng'")  # the database says it, not its kind
    access.close()
    response = look(agency, FIRM, "jincheng")
    assert response.status_code == 403
    token = agency.token("scjgj")
    assert set(jwt.decode(token, options={"verify_signature": False})["scope"].split()) == {
        "query", "report", "supervise",
    }  # fmt: skip
    assert agency.score(FIRM, world.grant("bohai", FIRM).id, token=token).status_code == 403


def test_the_matter_is_in_the_ledger_and_has_a_form(agency: Any) -> None:
    answer = look(agency, FIRM).json()
    (entry,) = agency.world.ledger.about(answer["supervision_id"])
    assert (entry.verb, entry.details["matter"]) == ("supervision.answered", MATTER)
    for matter in ("", "x", FIRM, f"{FIRM}-2026-1", "SSJ-2026-0117\n", "a" * 200):
        assert look(agency, FIRM, matter=matter).status_code == 422, matter
    assert look(agency, UNKNOWN).status_code == 404
    assert FIRM not in (agency.world.root / "ledger.jsonl").read_text()


def test_without_dossiers_the_citys_own_scale_holds(running: Any) -> None:
    answer = look(running, OTHER).json()
    assert (answer["industry"], answer["scale"]["en"]) == (None, "the city's own")


@given(st.sampled_from([name for name, _ in GRADES]), st.floats(0, 1000), st.sampled_from([None, "C", "K", "?"]))
def test_a_better_standing_is_never_inspected_more(grade: str, points: float, industry: str | None) -> None:
    answer = supervision_scale()
    rate = answer.tiers[answer.tier(grade, points, industry, False)].inspection_rate
    better = answer.tiers[answer.tier("A", 1000, industry, False)].inspection_rate
    assert better <= rate <= answer.tiers[answer.tier(grade, points, industry, True)].inspection_rate


@pytest.mark.attack
@pytest.mark.parametrize(
    "change",
    [("inspection_rate: 0.30", "inspection_rate: 0.02"), ("inspection_rate: 0.30", "inspection_rate: 3.0"),
     ("A-: A", "A-: E"), ("[B, 700]", "[B, 900]"), ("[D, 0]", "[D, 10]"), ("[C, 550], ", ""), ("D: D}", "D: D, x}")],
)  # fmt: skip
def test_scales_that_make_no_sense_are_refused(tmp_path: Path, change: tuple[str, str]) -> None:
    text = SCALE_FILE.read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / "supervision.yaml").write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(Malformed, match=r"supervision\.yaml"):
        read_declaration(tmp_path / "supervision.yaml", SupervisionScale)


def test_a_city_may_have_scales_of_its_own_and_the_service_does_not_start_on_nonsense(
    world: Any, serve: Any, tmp_path: Path
) -> None:
    shelve(world, RECORDS)
    own, text = tmp_path / "own.yaml", SCALE_FILE.read_text(encoding="utf-8")
    own.write_text(text.replace(f'version: "{supervision_scale().version}"', "version: harbour-1", 1), encoding="utf-8")
    assert supervision_scale(own).version == "harbour-1"
    with serve(supervision=own) as running:
        assert look(running, FIRM).json()["scale"]["version"] == "harbour-1"
    for bad in (tmp_path / "none.yaml", tmp_path / "bad.yaml"):
        (tmp_path / "bad.yaml").write_text("tiers: 3", encoding="utf-8")
        with pytest.raises(Malformed, match=bad.name), serve(supervision=bad):
            raise AssertionError("it started")
