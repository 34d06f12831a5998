"""A webhook goes to a public https address, to the very one that was judged, and to nothing inside (SSRF)."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from serving_webhook_receiver import WebhookReceiver

from credit.errors import Lapsed, Malformed, Missing, Refused
from serving.endpoints.monitoring.webhook_addresses import is_public, read_address, resolve
from serving.endpoints.monitoring.webhook_sender import WebhookSender

TEN = "10" + ".0.0.1"
INSIDE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", TEN, "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200",
    "100.64.0.1", "168.63.129.16", "224.0.0.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.2.1",
    "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
    f"::ffff:{TEN}", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:0808:0808::", "2001:db8::1",
    "::127.0.0.1", "fe80::1%eth0",
]  # fmt: skip
URLS = [
    "http://bank.example/", "https://bank.example:22/", "https://bank.example:6379/x", "ftp://bank.example/",
    "https://user@bank.example/", "https://user:secret@bank.example/", "https://bank.example/#part", "https:///x",
    "https://bank.example\\@127.0.0.1/", "https://bank.example/\r\nX: y", "https://bank.example/ x", "",
    "https://b\u00e4nk.example/", "https://bank.example:99999/", "https://[::1/", "gopher://bank.example/",
    "https://" + "a" * 2000 + ".example/", "//bank.example/", "javascript:alert(1)", "file:/etc/passwd",
]  # fmt: skip


def answering(*addresses: str) -> Any:
    async def lookup(host: str, port: int) -> list[str]:
        return list(addresses)

    return lookup


@pytest.mark.attack
@pytest.mark.parametrize("address", INSIDE)
def test_no_name_may_resolve_to_an_internal_address(address: str) -> None:
    target = read_address("https://bank.example/hook")
    for addresses in ((address,), ("8.8.8.8", address), (address, "2606:4700:4700::1111")):
        with pytest.raises(Refused, match="not a public one"):
            asyncio.run(resolve(target, answering(*addresses)))


@pytest.mark.attack
@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]",
                                  "[::ffff:127.0.0.1]", "localhost"])  # fmt: skip
def test_no_spelling_of_this_machine_leads_to_it(host: str) -> None:
    with pytest.raises((Refused, Missing)):  # by the system's own resolver
        asyncio.run(WebhookSender().post(f"https://{host}/hook", {}, b"{}"))


@pytest.mark.attack
@pytest.mark.parametrize("url", URLS)
def test_what_is_no_public_https_address_is_refused(url: str) -> None:
    for loopback in (False, True):
        with pytest.raises(Malformed):
            read_address(url, loopback=loopback)


@given(st.text(max_size=60) | st.from_regex(r"https?://[ -~]{0,30}", fullmatch=True))
def test_any_text_is_an_address_of_ours_or_is_malformed(text: str) -> None:
    try:
        target = read_address(text)
    except Malformed:
        return  # and no other error
    else:
        assert target.tls
        assert target.port in (443, 8443)
        assert "\r" not in target.path + target.host
        assert "\n" not in target.path + target.host


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_within_an_ipv6_one_is_never_public(number: int) -> None:
    inner = ipaddress.IPv4Address(number)
    if not is_public(inner):
        for text in (f"::ffff:{inner}", f"64:ff9b::{inner}", f"::{inner}"):
            assert not is_public(ipaddress.ip_address(text))


def test_public_addresses_are_public() -> None:
    for text in ("8.8.8.8", "1.1.1.1", "223.5.5.5", "2606:4700:4700::1111", "2400:3200::1"):
        assert is_public(ipaddress.ip_address(text)), text
    target = read_address("https://bank.example:8443/hook?a=1")
    assert (target.host, target.port, target.path, target.authority) == (
        "bank.example", 8443, "/hook?a=1", "bank.example:8443"
    )  # fmt: skip


@pytest.mark.attack
def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to() -> None:
    lookups: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["127.0.0.2"]

    with WebhookReceiver() as receiver:
        url = f"http://localhost:{receiver.port}/hook"
        assert asyncio.run(WebhookSender(loopback=True, lookup=rebinding).post(url, {}, b"{}")) == 200
        assert (lookups, len(receiver.received)) == (["localhost"], 1)


@pytest.mark.attack
def test_a_redirect_is_an_answer_like_another_and_leads_nowhere() -> None:
    with WebhookReceiver() as inner, WebhookReceiver(307, headers={"Location": inner.url}) as receiver:
        assert asyncio.run(WebhookSender(loopback=True).post(receiver.url, {}, b"{}")) == 307
        assert (len(receiver.received), inner.received) == (1, [])


@pytest.mark.attack
@pytest.mark.parametrize("message", [b"", b"HTTP/1.1 2", b"x" * 100_000, b"\x00" * 50, b"HTTP/9.9 200 OK\r\n", b"slow"])
def test_an_endless_slow_or_senseless_answer_ends_in_time(message: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            link, _ = server.accept()
            with link:
                try:
                    if message == b"slow":
                        for byte in b"HTTP/1.1 200 OK" + b"!" * 150:  # half a minute, unless hung up on
                            link.sendall(bytes([byte]))
                            time.sleep(0.2)
                    link.sendall(message)
                    time.sleep(0.1)
                except OSError:
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        began = time.monotonic()
        with pytest.raises(Lapsed):
            asyncio.run(
                WebhookSender(loopback=True, seconds=1).post(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, b"")
            )
        assert time.monotonic() - began < 10  # not for as long as something comes
        thread.join()


@pytest.mark.attack
def test_a_certificate_must_be_by_an_authority_that_is_trusted_and_name_the_host(tmp_path: Path) -> None:
    authority, context = certified(tmp_path, "bank.example")
    with WebhookReceiver(context=context) as receiver:

        async def post(host: str, trusted: str | None) -> int:
            # The port is not one of the internet's, so the sender connects as to a loopback name.
            sender = WebhookSender(loopback=True, authorities=trusted, lookup=answering("127.0.0.1"))
            return await sender.post(f"https://{host}:{receiver.port}/hook", {}, b"{}")

        for host, trusted in (("localhost", None), ("127.0.0.1", authority)):  # unknown authority; another name
            with pytest.raises(Lapsed, match="SSLCertVerificationError"):
                asyncio.run(post(host, trusted))
        assert asyncio.run(post("localhost", authority)) == 200
        assert len(receiver.received) == 1


def certified(folder: Path, *names: str) -> tuple[str, ssl.SSLContext]:
    """A certificate of localhost and the names, signed by itself: its PEM, and a server's context with it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bank")])
    hosts = x509.SubjectAlternativeName([x509.DNSName(host) for host in ("localhost", *names)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    day = datetime.timedelta(days=1)
    builder = builder.serial_number(7).not_valid_before(now - day).not_valid_after(now + day)
    made = builder.add_extension(hosts, False).add_extension(x509.BasicConstraints(True, None), True)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem + plain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return pem.decode(), context
