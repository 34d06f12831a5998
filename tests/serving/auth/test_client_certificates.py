"""A bank is known by its TLS certificate alone (RFC 8705), and the proxy alone can state a certificate."""

from __future__ import annotations

import base64
import contextlib
import datetime
import itertools
import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi.testclient import TestClient
from serving_service_process import PLACES, free_port
from serving_world import PURPOSE, TODAY, codes

from credit.errors import Malformed
from infra.proxy.running import proxy
from infra.proxy.settings import ProxySettings
from serving.app.create import create_app
from serving.auth.access_database import AccessDatabase
from serving.http.forwarded import Forwarded, read_certificate

SOCKET, PROXY, OUTSIDE = "", "192.0.2.9", "198.51.100.7"  # the address that a request comes from; a socket has none
FORM = {"grant_type": "client_credentials"}
GOOD = codes("enterprise", 1)[0]
Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(folder: Path, name: str, issuer: Pair | None = None) -> Pair:
    """A certificate for ten days with its key, in two files; signed by itself without an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Bank, Ltd"),
                         x509.NameAttribute(NameOID.COMMON_NAME, name)])  # fmt: skip
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )  # fmt: skip
    made = builder.sign(issuer[1] if issuer else key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / f"{name}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
    return made, key


def escaped(folder: Path, name: str) -> str:
    """As nginx sends it."""
    return quote((folder / f"{name}.pem").read_text())


def register(world: Any, bank: str, subject: str) -> None:
    access = AccessDatabase(world.root / "access.db")
    access.set_certificate(bank, subject)
    access.close()


@pytest.fixture
def service(world: Any, tmp_path: Path) -> Iterator[Any]:
    """The service behind a proxy; bohai is known by the certificate bohai.example."""
    for name in ("bohai.example", "other.example"):
        certificate(tmp_path, name)
    register(world, "bohai", read_certificate(escaped(tmp_path, "bohai.example")).subject)
    with TestClient(create_app(world.settings())) as http:
        app = Forwarded(http.app, PROXY, has_socket=True)  # type: ignore[arg-type]

        def call(peer: str, path: str, lines: list[tuple[str, str]], **more: Any) -> httpx.Response:
            lines = [("X-Forwarded-For", "203.0.113.7"), *lines]
            with_peer = TestClient(app, client=(peer, 1))
            with_peer.portal = http.portal
            return with_peer.post(path, headers=lines, **more)

        yield call


def test_only_the_registered_subject_over_the_proxys_socket_gives_a_token(service: Any, tmp_path: Path) -> None:
    """Every combination of where a request comes from, what it states, and whom it names."""
    own, other = escaped(tmp_path, "bohai.example"), escaped(tmp_path, "other.example")
    stated: list[list[str]] = [[], [own], [other], [own, own], [other, own], [""], ["%00"], ["O=Bank"], [own[:-60]]]
    given = {}
    for peer, values, bank in itertools.product((SOCKET, PROXY, OUTSIDE), stated, ("bohai", "jincheng", "nobody")):
        lines = [("X-Client-Certificate", value) for value in values]
        answer = service(peer, "/oauth2/token", lines, data=FORM | {"client_id": bank})
        given[peer, tuple(values), bank] = answer.status_code
        if answer.status_code == 200:
            claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
            assert claims["sub"] == "bohai"
            assert claims["cnf"] == {"x5t#S256": read_certificate(own).thumbprint}
        else:
            assert answer.status_code in (401, 403, 429, 503)
    assert [case for case, status in given.items() if status == 200] == [(SOCKET, (own,), "bohai")]


def test_a_token_is_good_with_its_certificate_alone(service: Any, world: Any, tmp_path: Path) -> None:
    own, other = ([("X-Client-Certificate", escaped(tmp_path, f"{name}.example"))] for name in ("bohai", "other"))
    token = service(SOCKET, "/oauth2/token", own, data=FORM | {"client_id": "bohai"}).json()["access_token"]
    body = {"uscc": GOOD, "purpose": PURPOSE, "mandate": world.grant("bohai", GOOD).id}
    bearer = [("Authorization", f"Bearer {token}")]
    for lines, status in ((own, 200), (other, 401), ([], 401), (own * 2, 401)):
        assert service(SOCKET, "/v1/scores", [*bearer, *lines], json=body).status_code == status


def test_a_certificate_does_not_replace_other_credentials_that_are_wrong(service: Any, tmp_path: Path) -> None:
    own = [("X-Client-Certificate", escaped(tmp_path, "bohai.example"))]
    basic = ("Authorization", "Basic " + base64.b64encode(b"bohai:").decode())
    for lines, form in (([basic], {}), ([], {"client_id": "bohai", "client_secret": "wrong"}), ([], {})):
        assert service(SOCKET, "/oauth2/token", [*own, *lines], data=FORM | form).status_code == 401, (lines, form)


@pytest.mark.attack
def test_a_certificate_of_the_same_subject_by_another_authority_proves_nothing(
    service: Any, world: Any, tmp_path: Path
) -> None:
    """The proxy may know several authorities, for several banks."""
    names = ("bohai.example", "authority", "another authority")
    places = [tmp_path / str(number) for number in range(3)]
    for place in places:
        place.mkdir()
    authority, other = (certificate(tmp_path, name) for name in names[1:])
    for place, issuer in zip(places, (authority, authority, other), strict=True):
        certificate(place, names[0], issuer)
    register(world, "bohai", read_certificate(escaped(places[0], names[0])).subject)
    given = []
    for place in places:
        lines = [("X-Client-Certificate", escaped(place, names[0]))]
        given.append(service(SOCKET, "/oauth2/token", lines, data=FORM | {"client_id": "bohai"}).status_code)
    assert given == [200, 200, 401]  # a later one of the same authority counts


def test_two_banks_never_have_one_certificate_and_a_dropped_one_proves_nothing(service: Any, world: Any,
                                                                               tmp_path: Path) -> None:  # fmt: skip
    own = [("X-Client-Certificate", escaped(tmp_path, "bohai.example"))]
    with pytest.raises(Malformed):
        register(world, "jincheng", read_certificate(own[0][1]).subject)
    register(world, "bohai", "")
    assert service(SOCKET, "/oauth2/token", own, data=FORM | {"client_id": "bohai"}).status_code == 401


@pytest.mark.servers
def test_a_bank_gets_in_by_its_certificate_through_the_shipped_proxy(world: Any, tmp_path: Path) -> None:
    """TLS, nginx and the service as they are run; what the bank writes in the proxy's line is of no use."""
    authority = certificate(tmp_path, "authority")
    for name in ("bohai.example", "jincheng.example", "score.example"):
        certificate(tmp_path, name, authority)
    own = escaped(tmp_path, "bohai.example")
    register(world, "bohai", read_certificate(own).subject)
    path, port = tmp_path / "service.sock", free_port()
    env = {"PATH": os.environ["PATH"], "HAIHE_SERVICE_TODAY": str(TODAY), "HAIHE_SERVICE_SOCKET": str(path),
           "HAIHE_SERVICE_ISSUER": "https://score.example"}  # fmt: skip
    env |= {f"HAIHE_SERVICE_{name}": str(world.root / place) for name, place in PLACES.items()}
    settings = ProxySettings(
        "score.example", f"127.0.0.1:{port}", f"unix:{path}", tmp_path / "proxy", tmp_path / "score.example.pem",
        tmp_path / "score.example.key", tmp_path / "authority.pem",
    )  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "serving"], env=env, stdout=subprocess.DEVNULL)
    try:
        with proxy(settings):

            def post(name: str | None, place: str, lines: dict[str, str], **more: Any) -> httpx.Response:
                context = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
                if name:
                    context.load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
                lines = {"Host": "score.example", **lines}
                extensions = {"sni_hostname": "score.example"}
                with httpx.Client(verify=context) as http:
                    return http.post(f"https://127.0.0.1:{port}{place}", headers=lines, extensions=extensions, **more)

            end = time.monotonic() + 60
            while post(None, "/oauth2/token", {}, data=FORM).status_code != 401:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.05)
            form, forged = FORM | {"client_id": "bohai"}, {"X-Client-Certificate": own}
            for name in (None, "jincheng.example"):
                for lines in ({}, forged):
                    assert post(name, "/oauth2/token", lines, data=form).status_code == 401, (name, lines)
            token = post("bohai.example", "/oauth2/token", {}, data=form).json()["access_token"]
            body = {"uscc": GOOD, "purpose": PURPOSE, "mandate": world.grant("bohai", GOOD).id}
            bearer = {"Authorization": f"Bearer {token}"}
            assert post("bohai.example", "/v1/scores", bearer, json=body).status_code == 200
            for name in (None, "jincheng.example"):
                assert post(name, "/v1/scores", bearer | forged, json=body).status_code == 401, name
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
    assert json.loads((world.root / "ledger.jsonl").read_text().splitlines()[-1])
