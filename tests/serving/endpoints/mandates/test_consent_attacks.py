"""A consent serves one application of exactly what it says; whatever else is sent instead of it is refused."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving_world import PLATFORM, PURPOSE

from serving.mandates.subject_keys import key_statement, sign_key

from .conftest import FIRM, OTHER, UNTIL, MandateWorld, Subject

pytestmark = pytest.mark.attack
QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
OTHERS: dict[str, Any] = {
    "bank": st.sampled_from(["jincheng", "bohai ", "BOHAI", "", "scjgj"]),
    "sub": st.sampled_from([OTHER, "", FIRM.lower(), FIRM[:17]]),
    "purpose": st.sampled_from(["post_loan_management", "credit_granting ", "", "curiosity"]),
    "until": st.sampled_from(["2027-02-01", "2027-01-30", "20270131", "2027-01-31T00:00:00", ""]),
    "aud": st.sampled_from(["http://another.example", "haihe", "", "http://testserver/v1/scores", ["x"]]),
    "iat": st.one_of(
        st.sampled_from([float("nan"), float("inf"), -1, 0, "now", None, True, [], 1e308]),
        st.integers(-40 * 86400, -31 * 86400).map(lambda seconds: time.time() + seconds),
        st.integers(120, 10**6).map(lambda seconds: time.time() + seconds),
    ),
    "jti": st.sampled_from(["", None, 7, ["a"], "x" * 300, {"a": 1}]),
}


def attempt(mandates: MandateWorld, consent: str, code: str = FIRM, **more: Any) -> Any:
    mandates.running.http.app.service.quotas.__init__()  # refusals are counted, and this is not about that
    return mandates.apply(code, "consent", consent, **more)


def granted(mandates: MandateWorld) -> int:
    mandates.agents()
    return sum(entry.verb == "mandate.granted" for entry in mandates.platform.entries())


@QUICK
@given(data=st.data())
def test_a_consent_to_something_else_is_refused(mandates: MandateWorld, data: Any) -> None:
    mandates.applications.keys.rows("DELETE FROM subject_key")
    subject = mandates.register(Subject(FIRM, data.draw(st.sampled_from(["Ed25519", "P-256"]))))
    names = data.draw(st.sets(st.sampled_from(sorted(OTHERS)), min_size=1))
    response = attempt(mandates, subject.consent(**{name: data.draw(OTHERS[name]) for name in names}))
    assert response.status_code == 403, response.text
    assert response.json()["findings"][0]["outcome"] == "fail"
    assert granted(mandates) == 0


@QUICK
@given(data=st.data())
def test_a_consent_for_another_application_is_refused(mandates: MandateWorld, data: Any) -> None:
    """The consent is good; the application asks for something that it does not say."""
    subject = Subject(FIRM)
    mandates.applications.keys.rows("DELETE FROM subject_key")
    mandates.register(subject)
    other = data.draw(st.sampled_from([
        {"bank": "jincheng"}, {"purpose": "post_loan_management"}, {"until": "2027-06-30"}, {"code": OTHER},
    ]))  # fmt: skip
    response = attempt(mandates, subject.consent(), **other)
    assert response.status_code == 403, response.text
    assert granted(mandates) == 0


def test_a_consent_serves_once(mandates: MandateWorld) -> None:
    subject = mandates.register(Subject(FIRM, "P-256"))
    consent = subject.consent()
    first = attempt(mandates, consent, key="k")
    assert attempt(mandates, consent, key="k").content == first.content  # the same request is the same application
    again = attempt(mandates, consent)
    assert (again.status_code, again.json()["findings"][0]["check"]) == (403, "once")
    head, body, signature = consent.split(".")  # ECDSA: the other of the two signatures that fit (s and n - s)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    raw = base64.urlsafe_b64decode(signature + "==")
    turned = raw[:32] + (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    twin = f"{head}.{body}.{base64.urlsafe_b64encode(turned).rstrip(b'=').decode()}"
    again = attempt(mandates, twin)
    assert (again.status_code, again.json()["findings"][0]["check"]) == (403, "once")
    second = subject.consent()
    batch = mandates.post("/v1/mandates/batch", {"applications": [
        {"uscc": FIRM, "purpose": PURPOSE, "until": UNTIL, "evidence": "consent", "content": each}
        for each in (consent, twin, second, second)
    ]})  # fmt: skip
    assert [part["status"] for part in batch.json()["applications"]] == [403, 403, 200, 403]
    name = first.json()["application_id"]
    mandates.agents()
    assert mandates.call("DELETE", f"/v1/mandates/{name}").json()["state"] == "revoked"
    assert attempt(mandates, consent).status_code == 403  # also after its mandate has ended


def test_only_a_registered_key_of_this_subject_signs(mandates: MandateWorld) -> None:
    subject, impostor = mandates.register(Subject(FIRM)), Subject(FIRM)
    neighbour = mandates.register(Subject(OTHER))
    keys, world = mandates.applications.keys, mandates.world
    forged = sign_key(key_statement(world.pseudonyms.key_of(FIRM).hex, impostor.jwk), world.key("service"))
    keys.rows("INSERT INTO subject_key VALUES (?, 'x', ?)", world.pseudonyms.key_of(FIRM).hex, json.dumps(forged))
    theirs = sign_key(key_statement(world.pseudonyms.key_of(OTHER).hex, neighbour.jwk), world.key("platform"))
    keys.rows("INSERT INTO subject_key VALUES (?, 'y', ?)", world.pseudonyms.key_of(FIRM).hex, json.dumps(theirs))
    good = subject.consent()
    head, body, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"haihe-consent+jwt"}').rstrip(b"=").decode()
    wrong = [
        impostor.consent(), neighbour.consent(sub=FIRM), subject.consent(typ="JWT"), subject.consent(typ="dpop+jwt"),
        f"{none}.{body}.", f"{head}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA", "x", f"{good}.x", good * 2,
    ]  # fmt: skip
    for consent in wrong:
        response = attempt(mandates, consent)
        assert (response.status_code, response.json()["findings"][0]["check"]) == (403, "signature"), consent
    assert attempt(mandates, good).status_code == 200


def test_a_bank_that_tries_consents_out_is_stopped(mandates: MandateWorld) -> None:
    mandates.register(Subject(FIRM))
    impostor = Subject(FIRM)
    parts = [{"uscc": FIRM, "purpose": PURPOSE, "until": UNTIL, "evidence": "consent", "content": impostor.consent()}
             for _ in range(200)]  # fmt: skip
    statuses = []
    for start in (0, 100):
        body = {"applications": parts[start : start + 100]}
        response = mandates.post("/v1/mandates/batch", body)
        statuses.append(response.status_code)
    assert statuses[0] == 200
    assert statuses[1] == 429
    assert mandates.running.entries("enumeration.suspected")


@pytest.mark.parametrize("where", ["header", "payload"])
def test_a_consent_with_a_member_twice_is_refused(mandates: MandateWorld, where: str) -> None:
    """A program that shows it to the subject may show the first bank, while the last one counts here."""
    subject = mandates.register(Subject(FIRM))
    head, body, _ = subject.consent().split(".")
    parts = {"header": head, "payload": body}
    text = base64.urlsafe_b64decode(parts[where] + "==").decode()
    twice = {"header": '{"typ":"JWT",', "payload": '{"bank":"jincheng",'}[where] + text[1:]
    parts[where] = base64.urlsafe_b64encode(twice.encode()).rstrip(b"=").decode()
    signed = f"{parts['header']}.{parts['payload']}"
    signature = base64.urlsafe_b64encode(subject.private.sign(signed.encode())).rstrip(b"=").decode()
    assert attempt(mandates, f"{signed}.{signature}").status_code == 403
    assert attempt(mandates, subject.consent(jti="a\0b")).status_code == 403
    assert attempt(mandates, subject.consent()).status_code == 200


def test_the_platform_signs_no_consent_of_a_subject_without_a_registered_key(mandates: MandateWorld) -> None:
    """The service alone says that a consent was signed; so the platform asks its own ledger whether one could be."""
    subject = mandates.register(Subject(FIRM), entry=False)
    name = mandates.consent(subject)
    mandates.agents()
    shown = mandates.call("GET", f"/v1/mandates/{name}").json()
    assert (shown["state"], shown["mandate"]) == ("refused", None)
    assert "registered no key" in shown["reason"]
    mandates.register(subject)
    late = mandates.consent(subject)
    key = f"subject-{mandates.world.pseudonyms.key_of(FIRM).hex}"
    (added,) = mandates.platform.about(key)
    mandates.platform.append("subject-key.removed", key, by=PLATFORM, details=added.details)
    mandates.agents()
    assert mandates.call("GET", f"/v1/mandates/{late}").json()["state"] == "granted"  # it was registered when it signed
    after = mandates.consent(subject)
    mandates.agents()
    assert mandates.call("GET", f"/v1/mandates/{after}").json()["state"] == "refused"
