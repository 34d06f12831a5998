"""A subject sees who asked about it and why, confirms, withdraws and objects; its page opens for no other."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from serving.endpoints.subject import routes
from tests.serving.endpoints.mandates.conftest import FIRM, OTHER, MandateWorld, Subject

SCRIPT = '<script>alert("x")</script>'


@pytest.fixture
def mandates(running: Any) -> Iterator[MandateWorld]:
    made = MandateWorld(running)
    yield made
    made.close()


def link(mandates: MandateWorld, code: str = FIRM, **more: Any) -> str:
    return mandates.applications.sessions.make_link(mandates.world.pseudonyms.key_of(code).hex, code, **more)


class SubjectBrowser:
    """A browser at the page."""

    def __init__(self, mandates: MandateWorld) -> None:
        self.http, self.cookie = mandates.running.http, ""
        self.http.cookies.clear()

    def get(self, path: str = "/subject?lang=en") -> Any:
        headers = {"Cookie": self.cookie} if self.cookie else {}
        return self.http.get(path, headers=headers, follow_redirects=False)

    def post(self, path: str, **form: str) -> Any:
        headers = {"Cookie": self.cookie} if self.cookie else {}
        response = self.http.post(f"/subject/{path}?lang=en", data=form, headers=headers, follow_redirects=False)
        self.http.cookies.clear()
        if "set-cookie" in response.headers:
            self.cookie = response.headers["set-cookie"].partition(";")[0]
        return response

    @property
    def form(self) -> str:
        matched = re.search(r'name="form" value="([0-9a-f]{64})"', self.get().text)
        assert matched is not None
        return matched[1]


def entered(mandates: MandateWorld, code: str = FIRM) -> SubjectBrowser:
    browser = SubjectBrowser(mandates)
    assert browser.post("open", link=link(mandates, code)).status_code == 303
    return browser


def test_the_subject_confirms_and_the_bank_may_score_then_withdraws_and_it_may_not(mandates: MandateWorld) -> None:
    name = mandates.apply(FIRM, "page").json()["application_id"]
    mandates.agents()
    assert mandates.status(name)["state"] == "waiting"
    browser = entered(mandates)
    assert name in browser.get().text
    assert browser.post("decide", form=browser.form, application=name, decision="confirm").status_code == 303
    mandates.agents()
    mandate = mandates.status(name)["mandate"]
    score = mandates.running.score(FIRM, mandate)
    assert score.status_code == 200
    page = browser.get()
    assert all(word in page.text for word in ("bohai", "in force", "decision on credit", "this page"))
    assert browser.post("withdraw", form=browser.form, application=name).status_code == 303
    assert mandates.running.score(FIRM, mandate).status_code == 403
    assert mandates.status(name)["state"] == "revoked"
    entries = {entry.verb: str(entry.by) for entry in mandates.world.ledger.entries()}
    who = f"subject:{mandates.world.pseudonyms.key_of(FIRM).hex}"
    assert (entries["application.confirmed"], entries["mandate.revoked"]) == (who, who)
    assert FIRM not in (mandates.world.root / "ledger.jsonl").read_text()


def test_the_subject_refuses(mandates: MandateWorld) -> None:
    name = mandates.apply(FIRM, "page").json()["application_id"]
    browser = entered(mandates)
    browser.post("decide", form=browser.form, application=name, decision="refuse")
    mandates.agents()
    assert mandates.status(name)["state"] == "refused"


def test_the_subject_objects_to_a_score_and_a_person_answers(mandates: MandateWorld) -> None:
    from serving_world import PLATFORM

    from serving.endpoints.objections.objection_review import decide

    score = mandates.running.score(FIRM, mandates.world.grant("bohai", FIRM).id).json()["score_id"]
    browser = entered(mandates)
    filed = {"score_id": score, "kind": "correction", "statement": SCRIPT}
    assert browser.post("object", form=browser.form, **filed).headers["location"].endswith("done=objected")
    (objection,) = mandates.running.entries("objection.asked")
    decide(mandates.access, mandates.world.ledger, objection.object, "upheld", by=PLATFORM, why=SCRIPT)
    page = browser.get().text
    assert "upheld" in page
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page
    theirs = mandates.running.score(OTHER, mandates.world.grant("bohai", OTHER).id).json()["score_id"]
    for wrong in ({**filed, "score_id": theirs}, {**filed, "kind": "x"}, {**filed, "statement": " "}):
        assert browser.post("object", form=browser.form, **wrong).status_code in (404, 422)


@pytest.mark.attack
def test_a_link_opens_once_and_not_after_its_end(mandates: MandateWorld) -> None:
    token = link(mandates)
    browser = SubjectBrowser(mandates)
    for _ in range(3):  # a program that previews links uses nothing up
        assert browser.get(f"/subject/open/{token}?lang=en").status_code == 200
    assert FIRM not in browser.get(f"/subject/open/{token}").text
    assert browser.post("open", link=token).status_code == 303
    assert SubjectBrowser(mandates).post("open", link=token).status_code == 401
    assert SubjectBrowser(mandates).post("open", link=link(mandates, seconds=-1)).status_code == 401
    for wrong in ("", "x", token[:-1], token + "x", token.swapcase(), "é"):
        assert SubjectBrowser(mandates).post("open", link=wrong).status_code == 401, wrong


@pytest.mark.attack
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(act=st.sampled_from(["decide", "withdraw", "object"]), form=st.sampled_from(["", "0" * 64, "theirs"]))
def test_a_form_of_another_page_does_nothing(mandates: MandateWorld, act: str, form: str) -> None:
    """A form that another site sends with the subject's cookie has not the session's own token."""
    browser, other = entered(mandates), entered(mandates, OTHER)
    sent = other.form if form == "theirs" else form
    before = mandates.world.ledger.verify()
    response = browser.post(act, form=sent, application="x", decision="confirm")
    assert response.status_code == 403
    assert [entry.verb for entry in list(mandates.world.ledger.entries())[before:]] == ["score.refused"]


@pytest.mark.attack
def test_another_subject_decides_and_withdraws_nothing(mandates: MandateWorld) -> None:
    name = mandates.apply(FIRM, "page").json()["application_id"]
    other_subject = entered(mandates, OTHER)
    assert name not in other_subject.get().text
    for act in ("decide", "withdraw"):
        response = other_subject.post(act, form=other_subject.form, application=name, decision="confirm")
        assert response.status_code == 404
    paper = mandates.apply(OTHER, "document", "c2lnbmVk").json()["application_id"]
    assert (
        other_subject.post("decide", form=other_subject.form, application=paper, decision="confirm").status_code == 403
    )
    mandates.agents()
    assert {mandates.status(each)["state"] for each in (name, paper)} == {"waiting"}
    assert (
        SubjectBrowser(mandates).post("decide", application=name, decision="confirm").status_code == 303
    )  # to the entrance


def statement(subject: Subject, typ: str = "haihe-subject+jwt", **other: Any) -> str:
    claims = {"aud": "http://testserver", "sub": subject.code, "jti": secrets.token_hex(8), "exp": time.time() + 60}
    algorithm = "EdDSA" if subject.is_ed else "ES256"
    return jwt.encode({**claims, **other}, subject.private, algorithm=algorithm, headers={"typ": typ})


@pytest.mark.attack
def test_the_own_key_opens_the_page_once_a_statement(mandates: MandateWorld) -> None:
    subject = mandates.register(Subject(FIRM, "P-256"))
    good = statement(subject)
    browser = SubjectBrowser(mandates)
    assert browser.post("key", assertion=good).status_code == 303
    assert FIRM in browser.get().text
    wrong = [
        good, statement(Subject(FIRM)), statement(subject, sub=OTHER), statement(subject, typ="JWT"),
        statement(subject, typ="haihe-consent+jwt"), statement(subject, aud="http://another"), subject.consent(),
        statement(subject, exp=time.time() - 120), statement(subject, exp=time.time() + 4000),
        statement(subject, exp="soon"), statement(subject, jti=""), "", "x.y.z",
    ]  # fmt: skip
    for assertion in wrong:
        assert SubjectBrowser(mandates).post("key", assertion=assertion).status_code == 401, assertion
    browser.post("leave", form=browser.form)
    assert FIRM not in browser.get().text


def test_the_page_is_its_own_and_in_both_languages(mandates: MandateWorld) -> None:
    browser = entered(mandates)
    english, chinese = browser.get(), browser.get("/subject?lang=zh")
    assert "Who asked about you" in english.text
    assert "谁查询过您" in chinese.text
    for page in (english, chinese):
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
    cookie = SubjectBrowser(mandates).post("open", link=link(mandates)).headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/subject"))
    files = list(mandates.world.root.glob("access.db*"))
    assert any(b"subject_session" in file.read_bytes() for file in files)
    assert not any(FIRM.encode() in file.read_bytes() for file in files)


def test_the_subject_reads_its_whole_report(mandates: MandateWorld) -> None:
    from serving_credit_files import shelve

    shelve(mandates.world)
    mandates.running.http.app.service.credit_files.refresh()
    browser = entered(mandates)
    page = browser.get("/subject/report?format=html")
    assert page.status_code == 200, page.text
    assert FIRM in page.text
    (reported,) = mandates.running.entries("report.answered")
    assert str(reported.by).startswith("subject:")
    assert SubjectBrowser(mandates).get("/subject/report").status_code == 303


@pytest.mark.attack
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_signs_no_one_in_or_out(mandates: MandateWorld, site: str) -> None:
    """A cookie is set by the answer to another site's form too: the subject would be at the attacker's page."""
    browser, http = entered(mandates), mandates.running.http
    sent = {"Sec-Fetch-Site": site, "Cookie": browser.cookie}
    for path, form in (("open", {"link": link(mandates, OTHER)}), ("key", {"assertion": "x"}), ("leave", {}),
                       ("decide", {"form": browser.form})):  # fmt: skip
        response = http.post(f"/subject/{path}", data=form, headers=sent, follow_redirects=False)
        assert (response.status_code, "set-cookie" in response.headers) == (403, False), path
    own = {"Sec-Fetch-Site": "same-origin"}
    assert http.post("/subject/open", data={"link": link(mandates)}, headers=own, follow_redirects=False).is_redirect
    assert browser.get().status_code == 200


@pytest.mark.attack
def test_one_subject_keeps_no_other_from_the_service_by_looking(
    mandates: MandateWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived, go = threading.Semaphore(0), threading.Event()
    whole = routes.overview

    def slow(*words: Any) -> Any:
        arrived.release()
        assert go.wait(20)
        return whole(*words)

    browser, other, statuses = entered(mandates), entered(mandates, OTHER), list[int]()
    monkeypatch.setattr(routes, "overview", slow)
    threads = [threading.Thread(target=lambda: statuses.append(browser.get().status_code)) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert arrived.acquire(timeout=20)
    assert browser.get().status_code == 503
    go.set()
    assert other.get().status_code == 200
    for thread in threads:
        thread.join()
    assert statuses == [200, 200]
    assert browser.get().status_code == 200


@pytest.mark.attack
def test_a_bank_of_many_requests_hides_neither_another_bank_nor_a_score(mandates: MandateWorld) -> None:
    score = mandates.running.score(FIRM, mandates.world.grant("bohai", FIRM).id).json()["score_id"]
    acts = [("query.answered", f"query-{number}", Actor("jincheng", Role.BANK),
             {"subject": mandates.world.pseudonyms.key_of(FIRM).hex}) for number in range(600)]  # fmt: skip
    mandates.world.ledger.append_many(acts)
    browser = entered(mandates)
    page = browser.get().text
    assert (page.count("bohai"), page.count("jincheng")) == (2, 50)  # its request, and the list of the objection
    filed = {"score_id": score, "kind": "correction", "statement": "It is not so."}
    statuses = [browser.post("object", form=browser.form, **filed).status_code for _ in range(21)]
    assert statuses == [303] * 20 + [429]
