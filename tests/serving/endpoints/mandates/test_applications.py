"""A bank requests mandates by itself; none is granted without the subject's own signature, document or confirmation."""

from __future__ import annotations

from typing import Any

import pytest
from serving_world import ENGINEER, PURPOSE, codes

from credit.errors import Refused
from serving.auth.mandates import Mandate

from .conftest import FIRM, OTHER, PDF, UNTIL, MandateWorld, Subject, b64, wanted


@pytest.mark.parametrize("kind", ["Ed25519", "P-256"])
def test_a_signed_consent_becomes_a_mandate_that_scores(mandates: MandateWorld, kind: str) -> None:
    subject = mandates.register(Subject(FIRM, kind))
    response = mandates.apply(FIRM, "consent", subject.consent())
    assert (response.status_code, response.json()["state"]) == (200, "accepted"), response.text
    name = response.json()["application_id"]
    assert mandates.status(name)["mandate"] is None
    mandates.agents()
    status = mandates.status(name)
    assert (status["state"], status["until"]) == ("granted", UNTIL)
    assert mandates.running.score(FIRM, status["mandate"]).status_code == 200
    (granted,) = [entry for entry in mandates.platform.entries() if entry.verb == "mandate.granted"]
    assert Mandate.of(granted.details).document == response.json()["receipt"]["digest"]
    requested = mandates.world.ledger.about(name)[0]
    assert (requested.verb, str(requested.by)) == ("application.requested", "bank:bohai")
    assert FIRM not in mandates.world.root.joinpath("ledger.jsonl").read_text()


def test_a_document_waits_for_a_person_and_is_granted_when_one_confirms(mandates: MandateWorld) -> None:
    response = mandates.apply(FIRM, "document", b64(PDF))
    assert (response.status_code, response.json()["state"]) == (200, "waiting"), response.text
    name = response.json()["application_id"]
    mandates.agents()
    assert mandates.status(name)["state"] == "waiting"
    assert mandates.store.document(name) == ("application/pdf", PDF)
    mandates.confirm(name)
    mandates.agents()
    assert mandates.status(name)["state"] == "granted"


@pytest.mark.attack
def test_a_confirmation_without_a_request_at_the_desk_grants_nothing(mandates: MandateWorld) -> None:
    name = mandates.apply(FIRM, "document", b64(PDF)).json()["application_id"]
    mandates.confirm(name, at_the_desk=False)
    mandates.agents()
    status = mandates.status(name)
    assert (status["state"], status["mandate"]) == ("refused", None)
    assert "front desk" in status["reason"]
    assert mandates.store.document(name) is None


@pytest.mark.attack
def test_an_application_in_the_store_alone_is_never_granted(mandates: MandateWorld) -> None:
    """The platform reads the service's ledger: what was only written into a database counts for nothing."""
    name = mandates.apply(FIRM, "page").json()["application_id"]
    mandates.store.rows("UPDATE application SET state = 'accepted' WHERE id = ?", name)
    mandates.agents()
    assert mandates.status(name)["state"] == "refused"
    assert not [entry for entry in mandates.platform.entries() if entry.verb == "mandate.granted"]


def test_a_person_refuses_and_the_bank_reads_why(mandates: MandateWorld) -> None:
    from credit.confirmation import Move
    from serving.mandates.decisions import decide

    name = mandates.apply(FIRM, "document", b64(b"Signed by us.")).json()["application_id"]
    details = {"request": "request-1", "why": "The signature is not readable."}
    decide(mandates.store, mandates.world.ledger, name, Move.REFUSE, by=ENGINEER, details=details)
    status = mandates.status(name)
    assert (status["state"], status["reason"]) == ("refused", "The signature is not readable.")
    assert mandates.store.document(name) is None
    with pytest.raises(Refused):
        mandates.confirm(name)


@pytest.mark.attack
def test_another_bank_sees_and_ends_nothing(mandates: MandateWorld) -> None:
    subject = mandates.register(Subject(FIRM))
    name = mandates.consent(subject)
    mandates.agents()
    mandate = mandates.status(name)["mandate"]
    for method in ("GET", "DELETE"):
        assert mandates.call(method, f"/v1/mandates/{name}", bank="jincheng").status_code == 404
    assert mandates.call("GET", "/v1/mandates", bank="jincheng").json() == {"applications": [], "next": None}
    stolen = mandates.running.score(FIRM, mandate, token=mandates.running.token("jincheng"))
    assert stolen.status_code == 403
    assert mandates.running.score(FIRM, mandate).status_code == 200


@pytest.mark.attack
def test_a_mandate_given_back_scores_nothing_from_then_on(mandates: MandateWorld) -> None:
    name = mandates.consent(mandates.register(Subject(FIRM)))
    mandates.agents()
    mandate = mandates.status(name)["mandate"]
    assert mandates.running.score(FIRM, mandate).status_code == 200
    for _ in range(2):
        ended = mandates.call("DELETE", f"/v1/mandates/{name}")
        assert (ended.status_code, ended.json()["state"]) == (200, "revoked")
    refused = mandates.running.score(FIRM, mandate)
    assert (refused.status_code, refused.json()["findings"][0]["check"]) == (403, "revoked")
    assert len([e for e in mandates.world.ledger.about(mandate) if e.verb == "mandate.revoked"]) == 1
    mandates.agents()  # which read again that it was granted
    assert mandates.status(name)["state"] == "revoked"


def test_a_bank_withdraws_what_waits(mandates: MandateWorld) -> None:
    name = mandates.apply(FIRM, "document", b64(PDF)).json()["application_id"]
    assert mandates.call("DELETE", f"/v1/mandates/{name}").json()["state"] == "withdrawn"
    assert mandates.store.document(name) is None
    with pytest.raises(Refused):
        mandates.confirm(name)
    assert mandates.call("DELETE", f"/v1/mandates/{name}").json()["state"] == "withdrawn"


def test_the_list_is_read_in_pages_and_by_state(mandates: MandateWorld) -> None:
    subject = mandates.register(Subject(FIRM))
    names = [mandates.consent(subject) for _ in range(5)]
    waiting = mandates.apply(OTHER, "page").json()["application_id"]
    pages: list[str] = []
    before = ""
    while True:
        page = mandates.call("GET", f"/v1/mandates?limit=2{before}").json()
        pages += [each["application_id"] for each in page["applications"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert pages == [waiting, *reversed(names)]
    listed = mandates.call("GET", "/v1/mandates?state=waiting").json()["applications"]
    assert [each["application_id"] for each in listed] == [waiting]
    for bad in (
        "limit=0",
        "limit=201",
        "limit=x",
        "before=-1",
        "before=9999999999999999999",
        "state=draft",
        "state=waiting&state=granted",
        "x=1",
    ):
        assert mandates.call("GET", f"/v1/mandates?{bad}").status_code == 422, bad


@pytest.mark.parametrize(
    ("change", "stated"),
    [
        ({"until": "2020-01-01"}, "cannot end on this day"),
        ({"until": "2099-01-01"}, "cannot end on this day"),
        ({"until": "20270131"}, "not a day"),
        ({"until": "2027-02-30"}, "not a day"),
        ({"purpose": "curiosity"}, "purpose"),
        ({"uscc": "911201160000000000"}, "code"),
        ({"evidence": "telephone"}, "cannot be read"),
        ({"content": "eA=="}, "a page has none"),
        ({"evidence": "document"}, "need their content"),
        ({"evidence": "consent"}, "need their content"),
        ({"mandate": "mandate-1"}, "cannot be read"),
    ],
)
def test_what_is_no_application_is_refused_with_what_to_do(
    mandates: MandateWorld, change: dict[str, Any], stated: str
) -> None:
    response = mandates.post("/v1/mandates", {**wanted(), **change})
    assert response.status_code == 422, response.text
    assert stated in response.text
    chinese = mandates.post("/v1/mandates", {**wanted(), **change}, **{"Accept-Language": "zh"})
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese.json()["title"])
    assert FIRM not in response.text
    assert mandates.store.page("bohai", ("draft", "waiting", "accepted"), before=10**18, limit=9) == []


def test_a_mandate_that_the_platform_recorded_itself_is_in_the_list_too(mandates: MandateWorld, serve: Any) -> None:
    from serving.endpoints.mandates.review import MandateReview
    from serving.endpoints.monitoring.service_notices import NoticeStore
    from serving.endpoints.monitoring.watch_store import WatchStore

    mandate = mandates.world.grant("bohai", codes("enterprise", 4)[3])
    service = mandates.running.http.app.service
    watches, notices = WatchStore(service.store), NoticeStore(service.store)
    review = MandateReview(service, mandates.store, watches, notices, mandates.world.ring)
    review.review()
    review.review()
    (listed,) = mandates.call("GET", "/v1/mandates").json()["applications"]
    assert (listed["mandate"], listed["state"], listed["evidence"], listed["purpose"]) == (
        mandate.id, "granted", "e-signed", PURPOSE
    )  # fmt: skip
