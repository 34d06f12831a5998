"""The shipped proxy keeps floods, slow heads, trailers, Upgrade and forged certificates from the service."""

from __future__ import annotations

import base64
import contextlib
import datetime
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from credit.errors import Malformed
from infra.proxy.running import proxy
from infra.proxy.settings import ProxySettings
from infra.stack import free_port
from serving.http.forwarded import read_certificate

pytestmark = [pytest.mark.servers, pytest.mark.attack]


class Echo(http.server.BaseHTTPRequestHandler):
    """A plain service behind the proxy: it answers with what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size).decode()
        lines = [[name.lower(), value] for name, value in self.headers.items()]
        content = json.dumps({"path": self.path, "headers": lines, "body": body}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def port(echo: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    number = free_port()
    with proxy(ProxySettings("score.example", f"127.0.0.1:{number}", echo, tmp_path_factory.mktemp("proxy"))):
        yield number


def raw(port: int, sent: bytes) -> bytes:
    """The response to these bytes, until its body is whole or the other side closes."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), 15) as link:
        with contextlib.suppress(OSError):  # refused before all of it was sent
            link.sendall(sent)
        while chunk := link.recv(65536):
            received += chunk
            head, end, body = received.partition(b"\r\n\r\n")
            if end and len(body) >= int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]):
                break
    return received


def echoed(answer: bytes) -> dict[str, Any]:
    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    result: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return result


HEAD = b"POST /v1/scores HTTP/1.1\r\nHost: score.example\r\n"


def test_what_a_client_writes_in_the_proxys_lines_does_not_arrive(port: int) -> None:
    sent = HEAD + (
        b"X-Forwarded-For: 203.0.113.9\r\nX-Client-Certificate: x\r\nX_Client_Certificate: y\r\n"
        b"Forwarded: for=1.2.3.4\r\nX-Forwarded-Host: elsewhere\r\nX-Forwarded-Proto: https\r\n"
        b"X-Request-Id: bad id\r\nContent-Length: 2\r\n\r\n{}"
    )
    headers = echoed(raw(port, sent))["headers"]
    values = dict(headers)
    assert len(headers) == len(values)
    assert values["x-forwarded-for"] == "127.0.0.1"
    assert values["x-forwarded-proto"] == "http"
    assert not {"x-request-id", "x-client-certificate", "x_client_certificate", "forwarded", "x-forwarded-host"} & set(
        values
    )


def test_trailers_and_upgrade_are_dropped_and_a_body_in_chunks_has_its_length(port: int) -> None:
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
    arrived = echoed(raw(port, chunked))
    assert (arrived["body"], dict(arrived["headers"])["content-length"]) == ("{}", "2")
    assert "authorization" not in dict(arrived["headers"])
    upgrade = HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}"
    arrived = echoed(raw(port, upgrade))
    assert arrived["body"] == "{}"
    assert not {"upgrade", "te", "trailer"} & set(dict(arrived["headers"]))


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"POST / HTTP/1.1\r\nHost: score.example\r\nHost: score.example\r\n\r\n", b"400"),
     (b"POST / HTTP/1.1\r\n\r\n", b"400"),
     (b"POST / HTTP/1.1\r\nHost: elsewhere\r\n\r\n", b"421"),
     (HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
     (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"400"),
     (HEAD + b"Content-Length: 3000000\r\n\r\n", b"413"),
     (b"GET /metrics HTTP/1.1\r\nHost: score.example\r\n\r\n", b"404"),
     (HEAD + b"X-A: " + b"v" * 100_000, b"400"),
     (HEAD + b"".join(b"X-%d: %b\r\n" % (number, b"v" * 100) for number in range(2_000)), b"400")],
    ids=["two hosts", "no host", "another host", "length and chunks", "two lengths", "too large", "metrics", "one long",
         "many"],
)  # fmt: skip
def test_what_is_no_plain_request_is_refused(port: int, sent: bytes, status: bytes) -> None:
    assert raw(port, sent).split(b" ")[1:2] == [status]


def test_a_head_that_does_not_end_is_given_up(port: int) -> None:
    with (
        socket.create_connection(("127.0.0.1", port), 20) as slow,
        socket.create_connection(("127.0.0.1", port), 20) as silent,
    ):
        slow.sendall(HEAD + b"X-A")
        for link in (slow, silent):
            received = b""
            with contextlib.suppress(ConnectionError):
                while chunk := link.recv(4096):
                    received += chunk
            assert received[:12] in (b"", b"HTTP/1.1 408")


def test_a_service_that_does_not_answer_is_a_problem_document(tmp_path: Path) -> None:
    number, nothing = free_port(), free_port()
    with proxy(ProxySettings("127.0.0.1", f"127.0.0.1:{number}", f"127.0.0.1:{nothing}", tmp_path / "proxy")) as url:
        response = httpx.post(f"{url}/v1/scores", json={})
        assert (response.status_code, response.headers["content-type"]) == (503, "application/problem+json")
        assert response.headers["retry-after"] == "5"
        assert response.headers["x-request-id"]


def certificate(folder: Path, name: str, signer: tuple[Any, Any] | None = None) -> tuple[Any, Any]:
    """A certificate and its key, in files; self-signed, or by a signer."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(signer[0].subject if signer else subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )  # fmt: skip
    made = builder.sign(signer[1] if signer else key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made, key


def test_a_certificate_counts_only_when_it_was_verified(echo: str, tmp_path: Path) -> None:
    authority = certificate(tmp_path, "authority")
    bank, _ = certificate(tmp_path, "bank.example", authority)
    certificate(tmp_path, "stranger")
    certificate(tmp_path, "score.example", authority)
    number = free_port()
    settings = ProxySettings(
        "score.example", f"127.0.0.1:{number}", echo, tmp_path / "proxy", tmp_path / "score.example.pem",
        tmp_path / "score.example.key", tmp_path / "authority.pem",
    )  # fmt: skip
    with proxy(settings):

        def certificate_that_arrived(own: str | None) -> str | None:
            context = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
            if own:
                context.load_cert_chain(tmp_path / f"{own}.pem", tmp_path / f"{own}.key")
            with (
                socket.create_connection(("127.0.0.1", number), 10) as plain,
                context.wrap_socket(plain, server_hostname="score.example") as link,
            ):
                link.sendall(HEAD + b"X-Client-Certificate: forged\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                received = b""
                while chunk := link.recv(65536):
                    received += chunk
            if not received.startswith(b"HTTP/1.1 200"):
                return received[9:12].decode()
            values = dict(json.loads(received.partition(b"\r\n\r\n")[2])["headers"])
            return (
                read_certificate(values["x-client-certificate"]).thumbprint
                if "x-client-certificate" in values
                else None
            )

        assert certificate_that_arrived(None) is None
        assert certificate_that_arrived("stranger") == "400"
        expected = bank.fingerprint(hashes.SHA256())
        assert certificate_that_arrived("bank.example") == base64.urlsafe_b64encode(expected).rstrip(b"=").decode()


@pytest.mark.parametrize("bad", [{"host": "x; evil"}, {"service": "127.0.0.1:1 }"}, {"certificate": Path("a")},
                                 {"listen": "0.0.0.0:80"}])  # fmt: skip
def test_a_setting_is_never_read_as_configuration(bad: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        ProxySettings(**({"host": "x", "listen": "127.0.0.1:1"} | bad))


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/mandates/batch"])
def test_a_body_of_the_size_that_a_path_takes_arrives(port: int, path: str) -> None:
    size = 16 << 20
    head = f"POST {path} HTTP/1.1\r\nHost: score.example\r\nContent-Length: {size}\r\n\r\n"
    assert len(echoed(raw(port, head.encode() + b"x" * size))["body"]) == size


@pytest.mark.parametrize("service", ["127.0.0.1:9", "unix:/nowhere/service.sock"])
def test_its_log_holds_no_path_of_a_request(tmp_path: Path, service: str) -> None:
    """A path may hold a subject's code, or the link of a subject's page, which is good until it is used."""
    number = free_port()
    with proxy(ProxySettings("score.example", f"127.0.0.1:{number}", service, tmp_path)):
        for path in (b"/subject/open/secret-link", b"/v1/reports/91120116MA05A0B1X5"):
            raw(number, b"GET %b HTTP/1.1\r\nHost: score.example\r\nContent-Length: 0\r\n\r\n" % path)
        raw(number, b"POST /secret-link HTTP/1.1\r\nHost: score.example\r\nContent-Length: 3000000\r\n\r\n")
    for file in tmp_path.rglob("*.log"):
        text = file.read_text()
        assert "secret-link" not in text
        assert "91120116MA05A0B1X5" not in text
