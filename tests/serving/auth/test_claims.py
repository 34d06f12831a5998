"""Whatever a client writes into a token, an assertion or a proof, the outcome is a refusal or a typed value."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving_bank_keys import BankKey
from serving_world import codes

from credit.errors import Unauthenticated
from serving.auth.dpop import DRIFT, ReplayCache, read_assertion, read_proof
from serving.auth.own_name import OwnName
from serving.auth.token_requests import ClientRefused, TokenRefused, TokenRequest

KEY, OWN, PATH = BankKey(), OwnName("https://score.example"), "/oauth2/token"
DEEP = "[" * 20_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8)
    | st.sampled_from(["\ud800", 10**400, float("nan"), float("inf"), float("-inf")]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=5,
)  # fmt: skip
CLAIMS = ("iss", "sub", "aud", "jti", "exp", "iat", "htm", "htu", "ath", "nbf", "cnf", "scope")
CHANGES = st.dictionaries(st.sampled_from(CLAIMS), JSON, min_size=1, max_size=3)


def signed(claims: Any, header: Any, key: BankKey = KEY) -> str:
    """A JWS over any header and any claims, also those that no library would write."""
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode("utf-8", "surrogatepass")).rstrip(b"=").decode()
             for each in (header, claims)]  # fmt: skip
    signature = key.private.sign(".".join(parts).encode("ascii"))
    return ".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=").decode()])


def assertion(**changes: Any) -> dict[str, Any]:
    now = time.time()
    return {"iss": "bohai", "sub": "bohai", "aud": "https://score.example/oauth2/token", "jti": f"{now}-{id(changes)}",
            "exp": now + 60, **changes}  # fmt: skip


def proof(**changes: Any) -> dict[str, Any]:
    return {"jti": f"{time.time()}-{id(changes)}", "htm": "POST", "htu": "https://score.example/v1/scores",
            "iat": time.time(), **changes}  # fmt: skip


HEADER = {"typ": "dpop+jwt", "alg": "EdDSA", "jwk": KEY.jwk}


def require_proof(claims: Any, header: Any = HEADER, own_name: OwnName = OWN) -> None:
    read_proof(signed(claims, header), method="POST", path="/v1/scores", token=None, own_name=own_name,
               seen=ReplayCache())  # fmt: skip


def require_assertion(claims: Any, own_name: OwnName = OWN) -> None:
    read_assertion(signed(claims, {"alg": "EdDSA"}), "bohai", [KEY.jwk], PATH, own_name, ReplayCache())


@pytest.mark.attack
@given(changes=CHANGES, header=st.dictionaries(st.sampled_from(["typ", "alg", "jwk", "kid", "crit", "b64"]), JSON))
def test_no_claim_and_no_header_is_used_before_its_type_is_known(changes: Any, header: Any) -> None:
    for act in (
        lambda: require_assertion(assertion(**changes)),
        lambda: require_proof(proof(**changes)),
        lambda: require_proof(proof(), HEADER | header),
        lambda: require_proof(proof(), HEADER | {"jwk": KEY.jwk | header}),
    ):
        try:
            act()
        except Unauthenticated:
            continue
        assert changes.get("exp", 0) == changes.get("exp", 0)  # no NaN was accepted
        assert changes.get("iat", 0) == changes.get("iat", 0)


@pytest.mark.attack
@given(text=st.text(max_size=40) | st.sampled_from([DEEP, "..", "a.b.c"]), claims=JSON)
def test_a_client_assertion_that_is_anything_names_a_client_or_is_refused(text: str, claims: Any) -> None:
    form = {"grant_type": "client_credentials", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:"
            "jwt-bearer"}  # fmt: skip
    deep = base64.urlsafe_b64encode(DEEP.encode()).decode().rstrip("=")
    for assertion_text in (text, signed(claims, {"alg": "EdDSA"}), f"{deep}.{deep}.", signed({"sub": claims}, {})):
        from urllib.parse import urlencode

        body = urlencode(form | {"client_assertion": assertion_text}, errors="replace").encode()
        try:
            request = TokenRequest.parse("application/x-www-form-urlencoded", "", body)
        except (ClientRefused, TokenRefused):
            continue
        request.name.encode()


@pytest.mark.attack
@pytest.mark.parametrize("time_of_proof", [float("nan"), float("inf"), True, "now", -1, 10**400])
def test_a_time_that_is_no_time_makes_no_proof_that_never_ages(time_of_proof: Any) -> None:
    with pytest.raises(Unauthenticated):
        require_proof(proof(iat=time_of_proof))
    with pytest.raises(Unauthenticated):
        require_assertion(assertion(exp=time_of_proof))


def test_a_clock_that_differs_a_little_is_no_fault_and_more_is_reported_as_one() -> None:
    for seconds in (-2, 2, DRIFT - 5):
        require_proof(proof(iat=time.time() + seconds))
        require_assertion(assertion(iat=time.time() + seconds, nbf=time.time() + seconds))
    for act in (lambda: require_proof(proof(iat=time.time() + 90)), lambda: require_assertion(assertion(exp=1))):
        with pytest.raises(Unauthenticated, match="clock"):
            act()


@pytest.mark.attack
def test_what_was_made_for_another_host_is_refused_whatever_the_request_calls_us() -> None:
    good = (
        "https://score.example/v1/scores",
        "https://SCORE.example:443/v1/scores",
        "HTTPS://score.example/v1/scores?a=b",
    )
    for htu in good:
        require_proof(proof(htu=htu))
    for htu in ("https://elsewhere/v1/scores", "http://score.example/v1/scores", "https://score.example:8443/v1/scores",
                "https://score.example/v1/verifications", "https://score.example@elsewhere/v1/scores",
                "//score.example", "https://score.example:port/v1/scores", "https://[::1/v1/scores"):  # fmt: skip
        with pytest.raises(Unauthenticated):
            require_proof(proof(htu=htu))
    for audience in ("https://score.example", ["x", "https://score.example/oauth2/token"]):
        require_assertion(assertion(aud=audience))
    for audience in ("haihe-service", "https://elsewhere/oauth2/token", [], ["x"], "https://score.example/v1"):
        with pytest.raises(Unauthenticated):
            require_assertion(assertion(aud=audience))
    here = OwnName()
    require_proof(proof(htu="http://127.0.0.1:9000/v1/scores"), own_name=here)
    require_assertion(assertion(aud="haihe-service"), here)
    with pytest.raises(Unauthenticated):
        require_proof(proof(), own_name=here)


@pytest.mark.attack
def test_every_such_request_is_refused_over_http_with_an_entry(running: Any) -> None:
    """Two of the nine ways to a 500 needed no credentials at all, and none was in the ledger."""
    form = {"grant_type": "client_credentials"}
    deep = base64.urlsafe_b64encode(DEEP[:5000].encode()).decode().rstrip("=")
    surrogate = signed({"sub": "\ud800"}, {"alg": "EdDSA"})
    kind = {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
    for name in (f"{deep}.e30.", surrogate, signed({"sub": ["x"]}, {"alg": "EdDSA"}), signed("x", "y")):
        before = len(running.entries("token.refused"))
        given = running.http.post("/oauth2/token", data=form | kind | {"client_assertion": name})
        assert (given.status_code, given.json()["error"]) == (401, "invalid_client")
        assert len(running.entries("token.refused")) == before + 1
    too_large = running.http.post("/oauth2/token", data=form | kind | {"client_assertion": "x" * 9000})
    assert (too_large.status_code, running.entries("token.refused")[-1].details["error"]) == (413, "too-large")
    auth = ("bohai", running.secrets["bohai"])
    for header in ({"jwk": "x"}, {"jwk": [1]}, {"jwk": {"kty": [], "crv": {}}}, {"jwk": KEY.jwk | {"x": 1}}):
        text = signed(proof(htu="http://testserver/oauth2/token"), HEADER | header)
        response = running.http.post("/oauth2/token", data=form, auth=auth, headers={"DPoP": text})
        assert response.status_code == 401
    for token in (f"{deep}.e30.", surrogate, signed({}, {"kid": ["x"]}),
                  jwt.encode({"iss": "haihe-service", "aud": "haihe-scores", "sub": "bohai", "scope": ["score"],
                              "jti": "1", "iat": 1, "exp": time.time() + 60, "cnf": "x"},
                             running.world.key("service").private, "EdDSA")):  # fmt: skip
        response = running.score(codes("enterprise", 1)[0], "x", token=token)
        assert response.status_code == 401
        assert running.world.ledger.about(response.json()["score_id"])
