"""A table of bad requests: each is refused with its status, a problem document that names no subject, and an entry."""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from serving_world import AS_OF, PLATFORM, PURPOSE, TODAY, codes

from credit.envelope import sign_envelope
from credit.keys import SigningKey
from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import PAYLOAD_TYPE, revoke
from serving.auth.tokens import AUDIENCE, ISSUER

GOOD, OTHER = codes("enterprise", 2)
UNKNOWN = codes("enterprise", 99)[-1]


def claims(**more: Any) -> dict[str, Any]:
    now = int(time.time())
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "bohai",
        "scope": "score",
        "jti": "1",
        "iat": now,
        "exp": now + 60,
    }
    return {name: value for name, value in (payload | more).items() if value is not None}


def assert_refused(running: Any, response: Any, status: int) -> dict[str, Any]:
    """The response, its form, and its entry in the ledger."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["title"]
    for code in (GOOD, OTHER, UNKNOWN):
        assert code not in response.text
        assert running.world.pseudonyms.hex_of(code) not in response.text
    (entry,) = running.world.ledger.about(problem["score_id"])
    assert (entry.verb, entry.details["status"]) == ("score.refused", status)
    return problem


@pytest.mark.parametrize(
    "code",
    [GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1"), GOOD[:16] + ("0" if GOOD[16] != "0" else "1") + GOOD[17], "", "91",
     "".join(chr(ord(c) + 0xFEE0) for c in GOOD), GOOD + "0", "O" * 18, "9112011６" + GOOD[8:], "一" * 18],
    ids=["check digit", "organisation check", "empty", "short", "full-width", "long", "letter O", "one wide", "hanzi"],
)  # fmt: skip
def test_a_code_that_is_none_is_422(running: Any, code: str) -> None:
    assert_refused(running, running.score(code, running.world.grant("bohai", GOOD).id), 422)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"uscc": 91, "purpose": "x", "mandate": "y"}', b'{"uscc": "x"}',
     json.dumps({"uscc": GOOD, "purpose": PURPOSE, "mandate": "m", GOOD: 1}).encode(), b"[" * 100_000,
     json.dumps({"uscc": GOOD, "purpose": PURPOSE, "mandate": "m" * 300}).encode()],
)  # fmt: skip
def test_a_body_that_is_none_is_422(running: Any, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {running.token()}"}
    assert_refused(running, running.http.post("/v1/scores", content=body, headers=headers), 422)


def test_a_body_over_the_limit_is_413_and_one_without_a_length_411(running: Any) -> None:
    headers = {"Authorization": f"Bearer {running.token()}"}
    big = b"x" * (1 << 20) + b"y"
    assert_refused(running, running.http.post("/v1/scores", content=big, headers=headers), 413)
    assert_refused(running, running.http.post("/v1/scores", content=iter([big]), headers=headers), 411)


def test_an_unknown_subject_is_404_only_to_a_bank_with_its_mandate(running: Any) -> None:
    mandate = running.world.grant("bohai", UNKNOWN).id
    assert_refused(running, running.score(UNKNOWN, mandate), 404)
    assert_refused(running, running.score(UNKNOWN, running.world.grant("bohai", GOOD).id), 403)


def test_a_kind_of_subject_that_no_model_scores_is_404(running: Any) -> None:
    assert_refused(running, running.score("93120113MA0512WX62", "x"), 404)


def bad_tokens(world: Any) -> dict[str, str]:
    service, other_key = world.key("service").private, SigningKey.create(world.root / "elsewhere", "service").private
    good = jwt.encode(claims(), service, algorithm="EdDSA")
    head, body, signature = good.split(".")
    other = base64.urlsafe_b64encode(json.dumps(claims(sub="jincheng")).encode()).rstrip(b"=").decode()
    pem = world.key("service").public_pem()
    hs_head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
    mac = base64.urlsafe_b64encode(hmac.digest(pem, f"{hs_head}.{body}".encode(), "sha256")).decode().rstrip("=")
    return {
        "no token": "",
        "nonsense": "Bearer x.y.z",
        "another scheme": f"Token {good}",
        "forged by another key": "Bearer " + jwt.encode(claims(), other_key, algorithm="EdDSA"),
        "body changed": f"Bearer {head}.{other}.{signature}",
        "alg none": "Bearer " + jwt.encode(claims(), "", algorithm="none"),
        "alg HS256 with the public key": f"Bearer {hs_head}.{body}.{mac}",
        "expired": "Bearer " + jwt.encode(claims(exp=int(time.time()) - 1), service, algorithm="EdDSA"),
        "no end": "Bearer " + jwt.encode(claims(exp=None), service, algorithm="EdDSA"),
        "for another audience": "Bearer " + jwt.encode(claims(aud="elsewhere"), service, algorithm="EdDSA"),
        "by another issuer": "Bearer " + jwt.encode(claims(iss="elsewhere"), service, algorithm="EdDSA"),
        "of no client": "Bearer " + jwt.encode(claims(sub="nobody"), service, algorithm="EdDSA"),
    }


def test_a_token_that_is_not_ours_and_good_is_401(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    body = {"uscc": GOOD, "purpose": PURPOSE, "mandate": mandate}
    for name, authorization in bad_tokens(running.world).items():
        headers = {"Authorization": authorization} if authorization else {}
        response = running.http.post("/v1/scores", json=body, headers=headers)
        assert_refused(running, response, 401)
        assert response.headers["www-authenticate"].startswith("Bearer"), name
    headers = {
        "Authorization": "Bearer " + jwt.encode(claims(), running.world.key("service").private, algorithm="EdDSA")
    }
    assert running.http.post("/v1/scores", json=body, headers=headers).status_code == 200


def test_a_token_without_the_scope_is_403_and_a_disabled_client_401(running: Any) -> None:
    service, mandate = running.world.key("service").private, running.world.grant("bohai", GOOD).id
    token = jwt.encode(claims(scope=""), service, algorithm="EdDSA")
    response = running.score(GOOD, mandate, token=token)
    assert_refused(running, response, 403)
    assert "insufficient_scope" in response.headers["www-authenticate"]
    token = running.token()
    access = AccessDatabase(running.world.root / "access.db")
    access.disable_client("bohai")
    access.close()
    assert_refused(running, running.score(GOOD, mandate, token=token), 401)


def checks(problem: dict[str, Any]) -> set[str]:
    return {finding["check"] for finding in problem["findings"]}


def test_a_mandate_opens_for_its_bank_subject_purpose_and_days_alone(running: Any) -> None:
    world, token = running.world, running.token()
    own = world.grant("bohai", GOOD).id
    table = [
        ("another bank's", "bank", (GOOD, world.grant("jincheng", GOOD).id)),
        ("one that is not", "bank", (GOOD, "mandate-" + "0" * 32)),
        ("another subject's", "subject", (OTHER, own)),
        ("ended", "time", (GOOD, world.grant("bohai", GOOD, valid_until=TODAY - timedelta(days=1)).id)),
        ("not begun", "time", (GOOD, world.grant("bohai", GOOD, valid_from=TODAY + timedelta(days=1)).id)),
    ]
    for name, failing, (code, mandate) in table:
        problem = assert_refused(running, running.score(code, mandate, token=token), 403)
        assert checks(problem) == {failing}, name
    problem = assert_refused(running, running.score(GOOD, own, token=token, purpose="post_loan_management"), 403)
    assert checks(problem) == {"purpose"}
    for edge in ({"valid_until": TODAY}, {"valid_from": TODAY}):
        assert running.score(GOOD, world.grant("bohai", GOOD, **edge).id, token=token).status_code == 200


def test_the_token_of_another_bank_does_not_open_this_banks_mandate(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    problem = assert_refused(running, running.score(GOOD, mandate, token=running.token("jincheng")), 403)
    assert checks(problem) == {"bank"}


def test_a_revoked_mandate_is_403_from_that_moment(running: Any) -> None:
    mandate, token = running.world.grant("bohai", GOOD).id, running.token()
    assert running.score(GOOD, mandate, token=token).status_code == 200
    access = AccessDatabase(running.world.root / "access.db")
    revoke(access, mandate, by=PLATFORM, ledger=running.world.ledger)
    access.close()
    assert checks(assert_refused(running, running.score(GOOD, mandate, token=token), 403)) == {"revoked"}


def test_a_mandate_changed_in_the_database_or_signed_by_another_zone_is_403(running: Any) -> None:
    world, token = running.world, running.token()
    access = AccessDatabase(world.root / "access.db")
    changed, moved, own = (world.grant("bohai", GOOD).id for _ in range(3))
    theirs = world.grant("jincheng", GOOD).id
    envelope = json.loads(str(access.rows("SELECT envelope FROM mandate WHERE id = ?", changed)[0][0]))
    terms = json.loads(base64.b64decode(envelope["payload"])) | {"until": "2099-01-01"}
    envelope["payload"] = base64.b64encode(json.dumps(terms).encode()).decode()
    access.rows("UPDATE mandate SET envelope = ? WHERE id = ?", json.dumps(envelope), changed)
    access.rows("UPDATE mandate SET envelope = (SELECT envelope FROM mandate WHERE id = ?) WHERE id = ?", theirs, moved)
    forged = sign_envelope(
        terms | {"id": own}, PAYLOAD_TYPE, world.key("service")
    )  # the service may not grant to itself
    access.rows("UPDATE mandate SET envelope = ? WHERE id = ?", json.dumps(forged), own)
    access.close()
    for mandate in (changed, moved, own):
        assert checks(assert_refused(running, running.score(GOOD, mandate, token=token), 403)) == {"signature"}


def test_a_stale_snapshot_is_503_with_a_remedy_and_not_ready(serve: Any, world: Any) -> None:
    mandate = world.grant("bohai", GOOD, valid_until=TODAY + timedelta(days=400)).id
    for day, status in ((AS_OF + timedelta(days=45), 200), (AS_OF + timedelta(days=46), 503)):
        with serve(today=day) as running:
            response = running.score(GOOD, mandate)
            assert response.status_code == status
            assert running.http.get("/ready").status_code == status
            if status == 503:
                assert "haihe snapshot" in assert_refused(running, response, 503)["remedy"]
                assert response.headers["retry-after"]


def test_a_lapsed_seal_is_503_however_fresh_it_may_be(serve: Any, world: Any) -> None:
    mandate = world.grant("bohai", GOOD, valid_until=TODAY + timedelta(days=400)).id
    with serve(today=AS_OF + timedelta(days=60), freshness_days=900) as running:
        assert_refused(running, running.score(GOOD, mandate), 503)


def test_another_path_or_method_is_a_problem_too(running: Any) -> None:
    for response, status in ((running.http.get("/nothing"), 404), (running.http.get("/v1/scores"), 405)):
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
    assert running.http.get("/v1/scores").headers["allow"] == "POST"
    assert running.http.put("/v1/jobs").headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en;q=0.9,zh;q=0.5", "en"), ("fr", "en"), ("zh;q=x,;;,", "en"),
     ("fr, zh;q=0.1", "zh"), ("zh;q=0, en;q=0.1", "en")],
)  # fmt: skip
def test_a_refusal_is_in_the_callers_language(running: Any, accepted: str, language: str) -> None:
    for path in ("/v1/scores", "/v1/objections/x"):
        method = "POST" if path == "/v1/scores" else "GET"
        response = running.http.request(method, path, headers={"Accept-Language": accepted})
        assert (response.status_code, response.headers["content-language"]) == (401, language)
        assert ("未提供令牌" in response.text) == (language == "zh")


def test_every_kind_of_refusal_has_its_chinese_words() -> None:
    from credit import errors
    from serving import errors as service_errors
    from serving.auth import rate_limit
    from serving.endpoints.reports import typeface

    kinds = [
        kind
        for module in (errors, service_errors, rate_limit, typeface)
        for kind in vars(module).values()
        if isinstance(kind, type)
    ]
    slugs = set()
    for kind in kinds:
        if not issubclass(kind, errors.CreditError):
            continue
        after = {"after": 1} if kind is rate_limit.TooMany else {}
        plain = (service_errors.Overloaded, service_errors.Shortage, service_errors.BeingReevaluated)
        fixed = kind in (*plain, typeface.NoTypeface)
        error = kind() if fixed else kind("errors.service-failed", **after)  # type: ignore[call-arg, arg-type]
        problem = error.problem("zh")
        assert all(re.search("[一-鿿]", problem[name]) for name in ("title", "remedy")), kind
        slugs.add(kind.slug)
    assert slugs == {
        "malformed", "too-large", "too-slow", "refused", "unauthenticated", "insufficient-scope", "lapsed", "anew",
        "overloaded", "shortage", "no-typeface", "too-many", "missing", "broken", "error",
    }  # fmt: skip


@pytest.mark.attack
def test_a_header_that_identifies_the_client_is_sent_once_and_no_slash_leads_elsewhere(running: Any) -> None:
    mandate, token = running.world.grant("bohai", GOOD).id, running.token()
    body = {"uscc": GOOD, "purpose": PURPOSE, "mandate": mandate}
    bearer = ("Authorization", f"Bearer {token}")
    keys, proofs = ([(name, value) for value in "ab"] for name in ("Idempotency-Key", "DPoP"))
    for twice in ([bearer, ("Authorization", "Bearer x")], [("Authorization", "Bearer x"), bearer], [bearer, *keys],
                  [bearer, *proofs]):  # fmt: skip
        response = running.http.post("/v1/scores", json=body, headers=twice)
        assert (response.status_code, response.json()["title"]) == (422, "The header was sent twice")
        assert running.entries("score.refused")[-1].object == response.json()["score_id"]
    assert running.http.post("/v1/scores", json=body, headers=[bearer, ("X-A", "1"), ("X-A", "2")]).status_code == 200
    form = {"grant_type": "client_credentials"}
    given = running.http.post("/oauth2/token", data=form, headers=proofs)
    assert (given.status_code, given.json()["error"]) == (400, "invalid_request")
    for path in ("/v1/scores/", "/v1/watches/"):
        response = running.http.post(path, json=body, headers={"Host": "elsewhere.example"}, follow_redirects=False)
        assert (response.status_code, "location" in response.headers) == (404, False)
