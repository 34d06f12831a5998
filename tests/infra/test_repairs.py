"""After a repair the next answers rest on the record no more, and until then nothing is answered about its subject."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from models.scoring.snapshot_layout import FEATURES_FILE

with warnings.catch_warnings():  # starlette 1.10 would rather have httpx2, which is not in the lock file
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", UserWarning)
    from fastapi.testclient import TestClient

from credit.suppression import Notice, pointer_of
from credit.trace import trace
from privacy.intake.intake import intake
from privacy.repair import RepairedAlready
from serving.app.create import create_app
from serving.endpoints.scores.replay import replay
from serving.settings import ServiceSettings
from tests.infra.repair_home import BANK, CITY, DAY, PURPOSE, RepairHome, copied
from tests.infra.repair_steps import KNOWN, RepairSteps, enter, withhold

pytestmark = pytest.mark.servers  # of a whole home


class Service:
    """The service over a home, and a bank that queries it."""

    def __init__(self, place: RepairHome, http: TestClient) -> None:
        self.place, self.http = place, http
        response = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(BANK, place.secret))
        self.bearer = {"Authorization": f"Bearer {response.json()['access_token']}"}

    def query(self, path: str, code: str, *, headers: dict[str, str] | None = None, **more: Any) -> Any:
        body = {"uscc": code, "purpose": PURPOSE, "mandate": self.place.mandates[code], **more}
        return self.http.post(path, json=body, headers=self.bearer | (headers or {}))

    def score(self, code: str, **more: Any) -> Any:
        return self.query("/v1/scores", code, **more)

    def until(self, condition: Any, seconds: float = 20) -> None:
        """Wait until the service has read its shelf, which it does every few hundredths of a second."""
        limit = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < limit
            time.sleep(0.02)


@contextmanager
def served(place: RepairHome) -> Iterator[Service]:
    settings = place.home.settings(ServiceSettings, "service", {
        "HAIHE_SERVICE_TODAY": DAY.isoformat(), "HAIHE_SERVICE_WATCH_SECONDS": "0.05",
        "HAIHE_SERVICE_MODELS": "enterprise", "HAIHE_SERVICE_CHORES": "false",
    })  # fmt: skip
    with TestClient(create_app(settings), raise_server_exceptions=False) as http:
        yield Service(place, http)


@pytest.fixture
def service(repair_home: RepairHome) -> Iterator[Service]:
    with served(repair_home) as running:
        yield running


def firms(place: RepairHome) -> list[str]:
    """Firms with a record to repair: those whose features will differ first."""
    return [code for code in place.documents if place.features(code)["penalties_36m"] > 0]


def general_penalties(service: Service, code: str) -> float:
    """How many general penalties the indicator sheet of a subject counts."""
    fields = service.query("/v1/queries/evaluation", code).json()["records"][0]["fields"]
    lines = [line for family in fields["sheet"]["families"] for line in family["indicators"]]
    values = {measure["code"]: measure["value"] for line in lines for measure in line["measures"]}
    return float(values["penalties_general_36m"] or 0)


def test_the_next_answers_lack_the_record(service: Service) -> None:
    place = service.place
    who = firms(place)[0]
    before, rested, evaluated = service.score(who).json(), place.features(who), general_penalties(service, who)
    listed = service.query("/v1/queries/penalties", who).json()
    assert place.documents[who] in [record["document"] for record in listed["records"]]
    made = RepairSteps(place, "repair", [place.documents[who]]).carry_out()
    assert (made["repaired"], made["pointed"]) == (1, ["enterprise", "public_enterprise", "dossiers"])
    wanted = made["snapshots"]["enterprise"]
    service.until(lambda: service.score(who).json().get("snapshot", {}).get("id") == wanted)
    after = service.score(who).json()
    assert before["snapshot"]["id"] != wanted
    assert (after["version"], after["valid_until"]) == (before["version"], before["valid_until"])
    assert place.features(who)["penalties_36m"] == rested["penalties_36m"] - 1
    service.until(lambda: service.query("/v1/queries/penalties", who).status_code == 200)
    listed = service.query("/v1/queries/penalties", who).json()
    assert place.documents[who] not in [record["document"] for record in listed["records"]]
    assert listed["snapshot"]["id"] == made["dossiers"]
    service.until(lambda: service.query("/v1/queries/evaluation", who).status_code == 200)
    assert general_penalties(service, who) == evaluated - 1
    ledger, shelf = place.home.ledger("service"), place.home.shelf
    for answer in (before, after):
        assert replay(answer["score_id"], ledger, shelf).digest == answer["receipt"]["digest"], (
            "also the answer from before"
        )
    links = {link.id for link in trace(after["score_id"], shelf=shelf, ledgers=place.home.ledgers()).links}
    amended = shelf.open(after["release"], deep=False).seal
    assert links >= {wanted, amended.id, amended.terms["amends"]}
    assert after["release"] == made["releases"]["scoring"]


def test_until_then_nothing_is_answered_about_the_subject_and_all_about_others(service: Service) -> None:
    place = service.place
    who, other = firms(place)[:2]
    first = service.score(who, headers={"Idempotency-Key": "loan-1"})
    withhold(place, who)
    service.until(lambda: service.score(who).status_code == 503)
    service.until(lambda: service.query("/v1/queries/penalties", who).status_code == 503)
    queries = {
        "/v1/scores/live": {"features": {"sales_12m": 0}, "kind": "fused"},
        "/v1/verifications": {"question": "points_within"},
        "/v1/queries/evaluation": {},
        "/v1/queries/penalties": {},
    }
    answers = [service.query(path, who, **more) for path, more in queries.items()]
    answers += [service.score(who, headers={"Idempotency-Key": "loan-1"})]
    bearer = service.bearer
    answers += [service.http.get(f"/v1/reports/{who}?format=json", headers=bearer)]
    facts = {"uscc": who, "score_id": first.json()["score_id"]}
    answers += [service.http.post("/v1/scores/facts", json=facts, headers=bearer)]
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:haihe:problem:anew"), answer.text
        assert answer.headers["retry-after"] == "10"
        assert "repair" not in answer.text, "that a record was repaired is not public"
    requests = [{"uscc": code, "purpose": PURPOSE, "mandate": place.mandates[code]} for code in (who, other)]
    batch = service.http.post("/v1/scores/batch", json={"asks": requests}, headers=bearer).json()["answers"]
    assert [each["status"] for each in batch] == [503, 200]
    assert service.query("/v1/queries/penalties", other).status_code == 200
    assert service.http.get("/ready").status_code == 200
    made = RepairSteps(place, "repair", [place.documents[who]]).carry_out()
    assert len(made["repaired_before"]) == 1
    service.until(lambda: service.score(who).status_code == 200)
    again = service.score(who, headers={"Idempotency-Key": "loan-1"}).json()
    assert again["snapshot"]["id"] == made["snapshots"]["enterprise"], "an old key opens no old answer"
    assert service.score(who, headers={"Idempotency-Key": "loan-1"}).json() == again


def test_stopped_anywhere_a_repair_goes_on(service: Service) -> None:
    place = service.place
    who = firms(place)[0]
    old = service.score(who).json()["snapshot"]["id"]
    withhold(place, who)
    service.until(lambda: service.score(who).status_code == 503)
    reported: list[str] = []

    def stop(label: str, done: int, total: int) -> None:
        step = label.partition(" in ")[0]  # looking into one table or the next leaves nothing different behind
        if step not in reported:
            reported.append(step)
            raise KeyboardInterrupt

    steps, made = RepairSteps(place, "repair", [place.documents[who]], stop), None
    while made is None:
        try:
            made = steps.carry_out()
        except KeyboardInterrupt:
            answer = service.score(who)
            assert answer.status_code == 503 or answer.json()["snapshot"]["id"] != old
    assert {"finding the record", "making enterprise again", "making dossiers again"} <= set(reported)
    assert RepairSteps(place).carry_out()["pointed"] == [], "there is nothing left to do"
    service.until(lambda: service.score(who).status_code == 200)
    assert Notice.read(place.home.shelf, "scoring").number == 1
    with pytest.raises(RepairedAlready):
        enter(place, who)


@pytest.mark.parametrize("zone", ["custody", "compute", "platform"])
def test_a_step_done_twice_leaves_the_same_seals(repair_home: RepairHome, zone: str) -> None:
    """An agent that was killed between its work and its entry does the step again: the same release and snapshots."""
    place = repair_home
    steps = RepairSteps(place, "repair", [place.documents[firms(place)[0]]])
    made = steps.carry_out(zone)
    seals = {path.name for path in (place.home.root / "shelf").glob("*/*")}
    pointed = (place.pointed(), place.pointed("dossiers"))
    steps.results.pop()
    again = steps.carry_out(zone)
    for name in ("releases", "snapshots", "dossiers", "pointed"):
        assert again.get(name) == made.get(name)
    assert {path.name for path in (place.home.root / "shelf").glob("*/*")} == seals
    assert (place.pointed(), place.pointed("dossiers")) == pointed


def test_repairs_that_arrived_with_an_intake_are_withdrawn(service: Service) -> None:
    place = service.place
    some = firms(place)[:3]
    columns = ["repaired_table", "document_number", "subject_code", "subject_name", "severity"]
    columns += ["applied_on", "repaired_on", "reached_on", "repair_number", "agency"]
    fields = {field.column: field.name for field in KNOWN.table("credit_repair").fields}
    lines = [",".join(fields[column] for column in columns)]
    for number, code in enumerate(some):
        record = f"administrative_penalty,{place.documents[code]},{code},甲,general"
        lines.append(f"{record},{DAY},{DAY},{DAY},修复-{number},市监局")
    path = place.home.root / "credit_repair_today.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = intake(path, catalogue=KNOWN, vault=place.vault, ledger=place.home.ledger("custody", writing=True), by=CITY,
                  today=DAY)  # fmt: skip
    assert done.kept == 3, done.tables
    rested = {code: place.features(code)["penalties_36m"] for code in some}
    assert RepairSteps(place).carry_out()["pointed"] == ["enterprise", "public_enterprise", "dossiers"]
    assert {code: place.features(code)["penalties_36m"] + 1 for code in some} == rested
    scoring = Notice.read(place.home.shelf, "scoring")
    assert set(scoring.subjects) == {place.key("scoring").hex_of(code) for code in some}
    for code in some:
        service.until(lambda code=code: service.score(code).status_code == 200)


@pytest.fixture(scope="module")
def noticed(repair_template: RepairHome, tmp_path_factory: pytest.TempPathFactory) -> tuple[RepairHome, bytes]:
    """A home after a repair, which is copied and never changed, and the notice of before its releases were amended."""
    place = copied(repair_template, tmp_path_factory.mktemp("noticed"))
    withhold(place, firms(place)[2])
    older = (place.home.root / "shelf" / "pointers" / f"{pointer_of('scoring')}.json").read_bytes()
    RepairSteps(place).carry_out()
    return place, older


@pytest.mark.attack
@pytest.mark.parametrize("how", ["forged", "older", "gone", "copied"])
def test_a_notice_that_is_not_custody_s_newest_stops_every_answer(
    noticed: tuple[RepairHome, bytes], tmp_path: Path, how: str
) -> None:
    place, older = copied(noticed[0], tmp_path), noticed[1]
    who, other = firms(place)[:2]
    pointers = place.home.root / "shelf" / "pointers"
    path = pointers / f"{pointer_of('scoring')}.json"
    with served(place) as service:
        assert service.score(other).status_code == 200
        withhold(place, who)
        service.until(lambda: service.score(who).status_code == 503)
        if how == "forged":
            path.unlink()
            place.home.shelf.set_pointer(pointer_of("scoring"), {"subjects": {}}, place.home.key("platform"))
        elif how == "older":
            path.write_bytes(older)
        elif how == "gone":
            path.unlink()
        else:
            path.write_bytes((pointers / f"{pointer_of('inquiry')}.json").read_bytes())
        service.until(lambda: service.score(other).status_code == 503)
        assert service.score(who).status_code == 503
        assert service.http.get("/ready").status_code == 503
    with served(place) as service:  # a notice that was received outlasts a restart
        assert service.score(who).status_code == 503
        assert service.score(other).status_code == 503


@pytest.mark.attack
def test_a_snapshot_whose_other_buckets_were_changed_is_not_reused(service: Service) -> None:
    place = service.place
    who = firms(place)[0]
    withhold(place, who)
    features = place.home.shelf.open(place.pointed(), deep=False).path / FEATURES_FILE
    content = bytearray(features.read_bytes())
    content[-1] ^= 1
    features.write_bytes(bytes(content))
    old = place.pointed()
    with pytest.raises(Exception, match="was changed"):
        RepairSteps(place).carry_out()
    assert place.pointed() == old
    service.until(lambda: service.score(who).status_code == 503)
    assert Notice.read(place.home.shelf, "scoring").suppresses(place.key("scoring").hex_of(who), 0)
