"""A parcel from a kernel reaches the airlock as bytes, in the name of the researcher, and within limits."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from credit.actor import Actor, Role
from lab.accounts.accounts import Accounts
from lab.airlock.review.service import AirlockService
from lab.gateway.endpoints import parcels
from tests.lab.airlock.review_zone import read_and_vote
from tests.lab.running_gateway import TODAY, House

SAFE = b"band,firms,share\nA,40,0.4\nB,60,0.6\n"
SMALL = b"band,firms\nA,3\nB,60\n"
DORA, EVE = Actor("dora", Role.REVIEWER), Actor("eve", Role.REVIEWER)


def context(house: House, *names: str, **changes: Any) -> str:
    about = {"what": "firms by band", "population": "all firms", "counted": "distinct subjects", "subjects": 100}
    described = {"title": "Bands", "purpose": "to show the bands", "files": dict.fromkeys(names, about)}
    return json.dumps(described | {"releases": [house.release.seal.id]} | changes)


def send(http: httpx.Client, path: str, files: dict[str, bytes], context_json: str | None) -> httpx.Response:
    parts = [("files", (name, content)) for name, content in files.items()]
    return http.post(path, files=parts, data={} if context_json is None else {"context": context_json})


def airlock_of(house: House) -> AirlockService:
    home = house.home
    accounts = Accounts(home.ledger("desk"))
    return AirlockService(house.settings, house.ledger, home.shelf, home.key("research"), accounts, lambda: TODAY)


def test_a_parcel_is_checked_submitted_reviewed_and_received(house: House) -> None:
    with house.kernel() as http:
        before = len(house.entries("parcel.submitted"))
        checked = send(http, "/v1/parcels/check", {"bands.csv": SAFE}, context(house, "bands.csv"))
        assert checked.status_code == 200, checked.text
        assert checked.json()["outcome"] == "pass", checked.text
        assert len(house.entries("parcel.submitted")) == before, "a check records nothing"
        answer = send(http, "/v1/parcels", {"bands.csv": SAFE}, context(house, "bands.csv"))
        assert answer.status_code == 201, answer.text
        parcel = answer.json()["id"]
        assert str(house.entries("parcel.submitted")[-1].by) == "researcher:alice"
        reviewing = airlock_of(house)
        reviewing.send_question(parcel, "Which firms are these", by=DORA)
        assert [each["yours"] for each in http.get("/v1/notices").json() if each["petition"] == parcel] == [True]
        parcel_data = http.post(f"/v1/parcels/{parcel}/answer", json={"text": "All there are"}).json()
        assert parcel_data["questions"] == [{"question": "Which firms are these", "answer": "All there are"}]
        still = http.get(f"/v1/parcels/{parcel}").json()
        read_and_vote(reviewing, parcel, True, "fine", by=DORA)
        assert http.get(f"/v1/parcels/{parcel}").json() == still, "that one has voted is not to be seen"
        assert http.post(f"/v1/parcels/{parcel}/collect").status_code == 403
        read_and_vote(reviewing, parcel, True, "fine", by=EVE)
        parcel_data = http.get(f"/v1/parcels/{parcel}").json()
        assert (parcel_data["state"], [vote["approve"] for vote in parcel_data["votes"]]) == ("approved", [True, True])
        assert http.post(f"/v1/parcels/{parcel}/collect").json()["sealed"].startswith("parcel-")
        assert http.post(f"/v1/parcels/{parcel}/withdraw").status_code == 403


def test_a_small_cell_is_refused_with_the_fix_and_nothing_is_kept(house: House) -> None:
    with house.kernel() as http:
        answer = send(http, "/v1/parcels", {"small.csv": SMALL}, context(house, "small.csv"))
        assert answer.status_code == 403
        refusal = answer.json()
        assert any("fix" in finding["evidence"] for finding in refusal["findings"])
        assert "correct" in refusal["remedy"]
        assert not any("small.csv" in each["files"] for each in http.get("/v1/parcels").json())


def test_another_projects_parcel_is_not_there(house: House) -> None:
    with house.kernel() as own, house.kernel("bob", "fines") as theirs, house.kernel("carol", "loans") as colleague:
        parcel = send(own, "/v1/parcels", {"a.csv": SAFE}, context(house, "a.csv")).json()["id"]
        assert parcel not in [each["id"] for each in theirs.get("/v1/parcels").json()]
        assert theirs.get("/v1/notices").json() == []
        assert theirs.get(f"/v1/parcels/{parcel}").status_code == 404
        for act in ("answer", "withdraw", "collect"):
            assert theirs.post(f"/v1/parcels/{parcel}/{act}", json={"text": "x"}).status_code == 404
        assert colleague.get(f"/v1/parcels/{parcel}").status_code == 200
        assert colleague.post(f"/v1/parcels/{parcel}/withdraw").status_code == 403, "the author alone"
        assert own.post(f"/v1/parcels/{parcel}/withdraw").json()["state"] == "withdrawn"


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "/etc/passwd",
        "..\\..\\x.csv",
        "a/b.csv",
        "x\u202evsc.exe",
        "~/.ssh/id",
        "a\nb.csv",
        ".",
        "",
    ],
)
def test_a_name_is_a_name_and_never_a_path(house: House, name: str) -> None:
    before = {path for path in house.home.root.rglob("*") if path.is_file()}
    with house.kernel("carol", "loans") as http:
        answer = send(http, "/v1/parcels", {name: SAFE}, context(house, name))
    assert answer.status_code in (403, 422), answer.text
    made = {path for path in house.home.root.rglob("*") if path.is_file()} - before
    assert not any("passwd" in path.name or path.name == "id" or path.suffix == ".csv" for path in made)


def test_forms_are_read_strictly(house: House) -> None:
    with house.kernel() as http:
        assert http.post("/v1/parcels", json={"files": ["/etc/passwd"]}).status_code == 422
        assert http.post("/v1/parcels", data={"files": "/etc/passwd"}).status_code == 422
        twice = [("files", ("a.csv", SAFE)), ("files", ("a.csv", SAFE))]
        assert http.post("/v1/parcels/check", files=twice).status_code == 422
        other = [("payload", ("a.csv", SAFE))]
        assert http.post("/v1/parcels/check", files=other).status_code == 422
        assert send(http, "/v1/parcels", {"a.csv": SAFE}, "{").status_code == 422
        assert send(http, "/v1/parcels", {"a.csv": SAFE}, None).status_code == 422
        many = {f"{number}.csv": SAFE for number in range(1000)}
        assert send(http, "/v1/parcels/check", many, None).status_code == 422
        broken = {"content-type": "multipart/form-data; boundary=x"}
        for body in (b"", b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nx'):
            assert http.post("/v1/parcels/check", content=body, headers=broken).status_code in (200, 422)
        assert (
            http.post("/v1/parcels", content=b"x", headers={"content-type": "multipart/form-data"}).status_code == 422
        )


def test_a_parcel_over_the_limit_is_refused_in_words(house: House) -> None:
    with house.kernel("carol", "loans") as http:
        answer = send(http, "/v1/parcels/check", {"big.csv": bytes(parcels.LARGEST)}, None)
    assert answer.status_code == 413
    assert "too large" in answer.json()["title"]


def test_since_is_a_time(house: House) -> None:
    with house.kernel() as http:
        for since in ("yesterday", "2026-01-01"):
            assert http.get("/v1/notices", params={"since": since}).status_code == 422
        assert http.get("/v1/notices", params={"since": "2099-01-01T00:00:00+00:00"}).status_code == 200
