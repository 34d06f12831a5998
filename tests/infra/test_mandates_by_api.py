"""A bank's application becomes a mandate by the agents of two zones, each with its own key, and a person's verb."""

from __future__ import annotations

import base64
import json
import secrets
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from credit.uscc import compose
from infra.desk.city_marking import mark_invented
from infra.desk.running import desk_and_agents
from infra.haihe import command_line
from infra.home import Home
from serving.app.create import create_app
from serving.settings import ServiceSettings

with warnings.catch_warnings():  # as in tests/serving/conftest.py
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

FIRM, UNTIL, HOST = compose("91", "120116", "MA000001").code, "2027-01-31", "http://testserver"
PATIENCE = 60.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """An invented home whose desk and agents run."""
    made = Home(tmp_path_factory.mktemp("mandates") / "home")
    assert mark_invented(made, ())
    with desk_and_agents(made, ("service", "platform")):
        yield made


def haihe(home: Home, *words: str, by: str = "platform:petra") -> Any:
    done = CliRunner().invoke(command_line(), (*words, "--by", by, "--json"), env={"HAIHE_HOME": str(home.root)})
    if done.exception is not None:
        raise done.exception
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def bank(home: Home) -> Iterator[TestClient]:
    """The service, and the bank harbour with its token."""
    secret = haihe(home, "bank", "harbour")["secret"]
    settings = home.settings(ServiceSettings, "service", {"HAIHE_SERVICE_ISSUER": HOST, "HAIHE_SERVICE_CHORES": "no"})
    with TestClient(create_app(settings)) as http:
        form = {"grant_type": "client_credentials"}
        token = http.post("/oauth2/token", data=form, auth=("harbour", secret)).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield http


def apply(bank: TestClient, evidence: str, content: str) -> str:
    body = {"uscc": FIRM, "purpose": "credit_granting", "until": UNTIL, "evidence": evidence, "content": content}
    response = bank.post("/v1/mandates", json=body)
    assert response.status_code == 200, response.text
    return str(response.json()["application_id"])


def settled(bank: TestClient, name: str) -> dict[str, Any]:
    """The application once it is neither waiting nor being signed."""
    deadline = time.monotonic() + PATIENCE
    while (status := bank.get(f"/v1/mandates/{name}").json())["state"] in ("waiting", "accepted"):
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
    return dict(status)


def test_a_consent_by_a_registered_key_is_granted_without_anybodys_help(
    home: Home, bank: TestClient, tmp_path: Path
) -> None:
    private = Ed25519PrivateKey.generate()
    jwk = jwt.algorithms.OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
    file = tmp_path / "key.json"
    file.write_text(json.dumps({name: jwk[name] for name in ("kty", "crv", "x")}))
    assert len(haihe(home, "subject", "key", FIRM, "--key", str(file))["thumbprint"]) == 43
    claims = {"aud": HOST, "sub": FIRM, "bank": "harbour", "purpose": "credit_granting", "until": UNTIL,
              "jti": secrets.token_hex(8), "iat": int(time.time())}  # fmt: skip
    consent = jwt.encode(claims, private, algorithm="EdDSA", headers={"typ": "haihe-consent+jwt"})
    status = settled(bank, apply(bank, "consent", consent))
    assert status["state"] == "granted", status
    (granted,) = home.ledger("platform").about(status["mandate"])
    assert (granted.verb, str(granted.by)) == ("mandate.granted", "service:agent-platform")
    for ledger in (home.root / "ledgers").glob("*.jsonl"):
        assert FIRM not in ledger.read_text(), ledger.name
    haihe(home, "revoke", status["mandate"])
    assert [entry.verb for entry in home.ledger("platform").about(status["mandate"])][-1] == "mandate.revoked"


def test_a_document_is_inspected_and_confirmed_by_a_person(home: Home, bank: TestClient, tmp_path: Path) -> None:
    paper = "兹授权渤海银行查询本单位公共信用信息。".encode()
    name = apply(bank, "document", base64.b64encode(paper).decode())
    assert name in {row["application"] for row in haihe(home, "applications", "list")["applications"]}
    shown = haihe(home, "applications", "show", name, "--save", str(tmp_path / "paper.txt"))
    assert (shown["media"], (tmp_path / "paper.txt").read_bytes()) == ("text/plain", paper)
    assert haihe(home, "applications", "confirm", name)["decided"] == 1
    assert settled(bank, name)["state"] == "granted"
    confirmed = next(e for e in home.ledger("service").about(name) if e.verb == "application.confirmed")
    assert str(confirmed.by) == "platform:petra"


def test_a_person_refuses_and_the_bank_reads_why(home: Home, bank: TestClient) -> None:
    name = apply(bank, "document", base64.b64encode(b"%PDF-1.7\n%%EOF").decode())
    haihe(home, "applications", "refuse", name, "--why", "The page is empty.")
    status = settled(bank, name)
    assert (status["state"], status["reason"]) == ("refused", "The page is empty.")
