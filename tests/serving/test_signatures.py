"""Whoever has the body's bytes, the header and the public keys can tell that the service said it, and nothing else."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from serving_world import codes

from credit.errors import Broken
from serving.signatures import HEADER, Signer, verify

CODE = codes("enterprise", 1)[0]


def test_an_answer_is_signed_over_its_own_bytes_and_a_common_library_verifies_it(running: Any) -> None:
    response = running.score(CODE, running.world.grant("bohai", CODE).id)
    signature = response.headers[HEADER]
    verify(response.content, signature, running.world.ring)
    header, _, raw = signature.split(".")
    told = running.http.get("/.well-known/jwks.json").json()
    keyid = jwt.get_unverified_header(f"{header}..")["kid"]
    key = next(jwt.PyJWK(key) for key in told["keys"] if key["kid"] == keyid)
    whole = f"{header}.{base64.urlsafe_b64encode(response.content).rstrip(b'=').decode()}.{raw}"
    assert jwt.api_jws.decode(whole, key, algorithms=["EdDSA"]) == response.content


@pytest.mark.attack
def test_no_other_byte_header_algorithm_or_key_verifies(world: Any) -> None:
    body = b'{"points":700}'
    good = Signer(world.key("service")).detached(body).decode()
    header, _, raw = good.split(".")

    def headed(**more: Any) -> str:
        told = {"alg": "EdDSA", "kid": f"service:{world.key('service').keyid}", "typ": "JOSE"} | more
        return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()

    verify(body, good, world.ring)
    table = {
        "a changed body": (body.replace(b"700", b"900"), good),
        "no algorithm": (body, f"{headed(alg='none')}..{raw}"),
        "another algorithm": (body, f"{headed(alg='HS256')}..{raw}"),
        "an extension that must be understood": (body, f"{headed(crit=['b64'], b64=False)}..{raw}"),
        "another zone's key": (body, Signer(world.key("platform")).detached(body).decode()),
        "no signature": (body, f"{header}.."),
        "not detached": (body, f"{header}.e30.{raw}"),
        "not a signature": (body, "x"),
        "not even text": (body, "é..ü"),
    }
    for name, (bytes_, signature) in table.items():
        try:
            verify(bytes_, signature, world.ring)
        except Broken:
            continue
        pytest.fail(name)
