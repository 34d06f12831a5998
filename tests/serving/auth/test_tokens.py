"""The token endpoint is RFC 6749's: Basic or form, its error codes, nothing cached; secrets are salted hashes."""

from __future__ import annotations

import base64
import time
from typing import Any

import jwt
import pytest

from credit.errors import Malformed, Missing, Unauthenticated
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import SCOPES

FORM = {"grant_type": "client_credentials"}


def test_basic_and_form_both_give_a_bearer_token_for_fifteen_minutes(running: Any) -> None:
    secret = running.secrets["bohai"]
    for response in (
        running.http.post("/oauth2/token", data=FORM, auth=("bohai", secret)),
        running.http.post("/oauth2/token", data=FORM | {"client_id": "bohai", "client_secret": secret}),
        running.http.post("/oauth2/token", data=FORM | {"scope": "score"}, auth=("bohai", secret)),
    ):
        document = response.json()
        assert response.status_code == 200
        assert (document["token_type"], document["expires_in"]) == ("Bearer", 900)
        assert document["scope"] == ("score" if b"scope" in response.request.content else " ".join(sorted(SCOPES)))
        assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")
        claims = jwt.decode(document["access_token"], options={"verify_signature": False})
        assert (claims["sub"], claims["exp"] - claims["iat"]) == ("bohai", 900)
        assert jwt.get_unverified_header(document["access_token"])["alg"] == "EdDSA"


def test_each_bad_request_gets_its_code_and_an_entry(running: Any) -> None:
    secret = running.secrets["bohai"]
    basic = {"Authorization": "Basic " + base64.b64encode(f"bohai:{secret}".encode()).decode()}
    table: list[tuple[str, int, dict[str, Any]]] = [
        ("invalid_client", 401, {"data": FORM}),
        ("invalid_client", 401, {"data": FORM, "auth": ("bohai", "wrong")}),
        ("invalid_client", 401, {"data": FORM, "auth": ("nobody", secret)}),
        ("invalid_client", 401, {"data": FORM, "auth": ("jincheng", secret)}),
        ("invalid_client", 401, {"data": FORM, "headers": {"Authorization": "Basic ***"}}),
        ("invalid_request", 400, {"data": {"scope": "score"}, "headers": basic}),
        ("invalid_request", 400, {"json": FORM, "headers": basic}),
        ("invalid_request", 400, {"data": FORM | {"client_id": "bohai", "client_secret": secret}, "headers": basic}),
        ("unsupported_grant_type", 400, {"data": {"grant_type": "password"}, "headers": basic}),
        ("invalid_scope", 400, {"data": FORM | {"scope": "score admin"}, "headers": basic}),
    ]
    for error, status, request in table:
        response = running.http.post("/oauth2/token", **request)
        assert (response.status_code, response.json()["error"]) == (status, error), request
        assert response.headers["cache-control"] == "no-store"
        sent_basic = "auth" in request or request.get("headers", {}).get("Authorization", "").startswith("Basic")
        assert ("www-authenticate" in response.headers) == (status == 401 and sent_basic)
    form = {"content-type": "application/x-www-form-urlencoded"} | basic
    for body in (b"grant_type=client_credentials&grant_type=client_credentials", b"\xff", b"grant_type"):
        assert running.http.post("/oauth2/token", content=body, headers=form).json()["error"] == "invalid_request"
    assert running.http.post("/oauth2/token", content=b"a=" + b"b" * 9000, headers=form).status_code == 413
    refused = running.entries("token.refused")
    assert [entry.details["error"] for entry in refused[: len(table)]] == [error for error, _, _ in table]
    assert {entry.details["bank"] for entry in refused} == {None, "bohai", "jincheng"}  # never a name from outside


def test_a_secret_is_shown_once_and_kept_as_a_salted_hash(tmp_path: Any) -> None:
    access = AccessDatabase(tmp_path / "a.db")
    first, second = access.add_client("bank-a"), access.add_client("bank-b")
    assert len(base64.urlsafe_b64decode(first + "=")) == 32
    assert access.check("bank-a", first).scopes == SCOPES
    for name, secret in (("bank-a", second), ("bank-c", first), ("bank-a", ""), ("", "")):
        with pytest.raises(Unauthenticated):
            access.check(name, secret)
    access.close()
    for file in tmp_path.iterdir():
        assert first.encode() not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0


def test_secrets_change_without_a_gap_and_two_are_good_at_a_time(tmp_path: Any) -> None:
    access = AccessDatabase(tmp_path / "a.db")
    first = access.add_client("bank-a")
    with pytest.raises(Missing):
        access.drop_secret("bank-a")
    second = access.renew_secret("bank-a")
    assert [access.check("bank-a", each).name for each in (first, second)] == ["bank-a"] * 2
    with pytest.raises(Malformed, match="two secrets"):
        access.renew_secret("bank-a")
    access.drop_secret("bank-a")
    with pytest.raises(Unauthenticated):
        access.check("bank-a", first)
    third = access.renew_secret("bank-a")
    assert len({first, second, third}) == 3
    access.disable_client("bank-a")
    for each in (second, third):
        with pytest.raises(Unauthenticated):
            access.check("bank-a", each)
    access.disable_client("bank-a", disabled=False)
    assert access.check("bank-a", second).scopes == SCOPES
    for act in (access.renew_secret, access.drop_secret):
        with pytest.raises(Missing):
            act("nobody")
    access.close()


def test_a_disabled_client_a_used_name_and_an_unknown_scope_are_refused(tmp_path: Any) -> None:
    access = AccessDatabase(tmp_path / "a.db")
    secret = access.add_client("bank-a")
    access.disable_client("bank-a")
    with pytest.raises(Unauthenticated):
        access.check("bank-a", secret)
    for name, scopes in (("bank-a", ("score",)), ("Bank", ("score",)), ("bank-b", ("root",)), ("bank-b", ())):
        with pytest.raises(Malformed):
            access.add_client(name, scopes)
    with pytest.raises(Missing):
        access.disable_client("nobody")
    access.close()


def test_an_unknown_client_costs_what_a_known_one_costs(tmp_path: Any) -> None:
    access = AccessDatabase(tmp_path / "a.db")
    access.add_client("bank-a")

    def cost(name: str) -> float:
        took = []
        for _ in range(7):
            began = time.process_time()
            with pytest.raises(Unauthenticated):
                access.check(name, "wrong")
            took.append(time.process_time() - began)
        return min(took)

    known, unknown = cost("bank-a"), cost("nobody")
    access.close()
    assert 0.6 < known / unknown < 1.7
