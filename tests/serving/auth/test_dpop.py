"""A bank may prove itself by a key of its own, and a token bound to a key is of no use without the key."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from serving_bank_keys import BankKey
from serving_world import PURPOSE, codes

from credit.errors import Malformed, Missing
from serving.auth.access_database import AccessDatabase

CODE = codes("enterprise", 1)[0]


@pytest.fixture
def access(running: Any) -> Any:
    opened = AccessDatabase(running.world.root / "access.db")
    yield opened
    opened.close()


def post_score(running: Any, token: str, proof: str | None, scheme: str = "DPoP") -> Any:
    body = {"uscc": CODE, "purpose": PURPOSE, "mandate": running.mandate}
    headers = {"Authorization": f"{scheme} {token}"} | ({"DPoP": proof} if proof else {})
    return running.http.post("/v1/scores", json=body, headers=headers)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "PS256"])
def test_a_registered_key_gets_a_token_without_a_secret_and_old_and_new_key_overlap(
    running: Any, access: Any, algorithm: str
) -> None:
    old, new = BankKey(algorithm), BankKey()
    first = access.add_key("bohai", old.jwk)
    access.add_key("bohai", new.jwk)
    for key in (old, new):
        assert running.http.post("/oauth2/token", data=key.assertion("bohai")).status_code == 200
    access.remove_key("bohai", first)
    assert running.http.post("/oauth2/token", data=old.assertion("bohai")).status_code == 401
    assert running.http.post("/oauth2/token", data=new.assertion("bohai")).status_code == 200
    with pytest.raises(Missing):
        access.remove_key("bohai", first)


@pytest.mark.attack
def test_an_assertion_that_is_forged_old_for_others_or_used_before_is_401(running: Any, access: Any) -> None:
    key, other_key, now = BankKey(), BankKey(), int(time.time())
    access.add_key("bohai", key.jwk)
    used = key.assertion("bohai")
    assert running.http.post("/oauth2/token", data=used).status_code == 200
    none = dict(used, client_assertion=jwt.encode({"iss": "bohai", "sub": "bohai", "jti": "1"}, "", algorithm="none"))
    table = {
        "used before": used,
        "by another key": other_key.assertion("bohai"),
        "in another's name": key.assertion("jincheng"),
        "for another audience": key.assertion("bohai", aud="elsewhere"),
        "over": key.assertion("bohai", exp=now - 120),
        "too long": key.assertion("bohai", exp=now + 3600),
        "without an end": key.assertion("bohai", exp=None),
        "without a name": key.assertion("bohai", jti=None),
        "issued by another": key.assertion("bohai", iss="jincheng"),
        "of nobody": key.assertion("nobody"),
        "alg none": none,
        "nonsense": dict(used, client_assertion="x.y.z"),
    }
    for name, form in table.items():
        response = running.http.post("/oauth2/token", data=form)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client"), name
    both = running.http.post("/oauth2/token", data=key.assertion("bohai"), auth=("bohai", running.secrets["bohai"]))
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")
    access.disable_client("bohai")
    assert running.http.post("/oauth2/token", data=key.assertion("bohai")).status_code == 401


def test_only_public_keys_for_signing_are_registered(access: Any) -> None:
    good = BankKey("ES256").jwk
    private = jwt.get_algorithm_by_name("EdDSA").to_jwk(BankKey().private, as_dict=True)
    for bad in (
        {},
        {"kty": "oct", "k": "c2VjcmV0"},
        private,
        good | {"crv": "P-521"},
        good | {"x": "AA"},
        {"kty": "RSA"},
    ):
        with pytest.raises(Malformed):
            access.add_key("bohai", bad)
    with pytest.raises(Missing):
        access.add_key("nobody", good)


@pytest.mark.attack
def test_a_bound_token_is_of_no_use_without_its_key(running: Any) -> None:
    running.mandate = running.world.grant("bohai", CODE).id
    key, other_key, now = BankKey("ES256"), BankKey("ES256"), int(time.time())
    form, auth = {"grant_type": "client_credentials"}, ("bohai", running.secrets["bohai"])
    response = running.http.post("/oauth2/token", data=form, auth=auth, headers={"DPoP": key.proof("/oauth2/token")})
    assert response.json()["token_type"] == "DPoP"
    token, path = response.json()["access_token"], "/v1/scores"
    used = key.proof(path, token)
    assert post_score(running, token, used).status_code == 200
    table: dict[str, tuple[str | None, str]] = {
        "no proof": (None, "DPoP"),
        "as a bearer token": (None, "Bearer"),
        "as a bearer token with a proof": (key.proof(path, token), "Bearer"),
        "used before": (used, "DPoP"),
        "by another key": (other_key.proof(path, token), "DPoP"),
        "for another method": (key.proof(path, token, htm="GET"), "DPoP"),
        "for another path": (key.proof("/v1/verifications", token), "DPoP"),
        "for another host": (key.proof(path, token, htu=f"https://elsewhere{path}"), "DPoP"),
        "for another token": (key.proof(path, token + "x"), "DPoP"),
        "for no token": (key.proof(path), "DPoP"),
        "of an hour ago": (key.proof(path, token, iat=now - 3600), "DPoP"),
        "of an hour from now": (key.proof(path, token, iat=now + 3600), "DPoP"),
        "without a name": (key.proof(path, token, jti=None), "DPoP"),
        "of another type": (key.proof(path, token, {"typ": "JWT"}), "DPoP"),
        "another key in the header": (key.proof(path, token, {"jwk": other_key.jwk}), "DPoP"),
        "a shared secret in the header": (key.proof(path, token, {"jwk": {"kty": "oct", "k": "c2VjcmV0"}}), "DPoP"),
        "nonsense": ("x.y.z", "DPoP"),
    }
    for name, (proof, scheme) in table.items():
        assert post_score(running, token, proof, scheme).status_code == 401, name
    assert post_score(running, token, key.proof(path, token)).status_code == 200


def test_a_token_that_is_not_bound_needs_no_proof_and_cannot_be_sent_as_bound(running: Any) -> None:
    running.mandate = running.world.grant("bohai", CODE).id
    token = running.token()
    assert post_score(running, token, None, "Bearer").status_code == 200
    assert post_score(running, token, BankKey().proof("/v1/scores", token)).status_code == 401
