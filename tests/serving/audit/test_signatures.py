"""The body's bytes, the header and the public keys prove that the service sent the answer, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

import jwt
import pytest
from serving_world import codes

from credit.errors import Broken
from serving.audit.signature_queue import MOST, SignatureBatch
from serving.audit.signatures import HEADER, TYPE, Signer, verify

CODE = codes("enterprise", 1)[0]


def test_an_answer_is_signed_over_its_own_bytes_and_a_common_library_verifies_it(running: Any) -> None:
    response = running.score(CODE, running.world.grant("bohai", CODE).id)
    signature = response.headers[HEADER]
    verify(response.content, signature, running.world.ring)
    jwks = running.http.get("/.well-known/jwks.json").json()
    keyid = jwt.get_unverified_header(signature)["kid"]
    key = next(jwt.PyJWK(key) for key in jwks["keys"] if key["kid"] == keyid)
    claims = jwt.decode(signature, key, algorithms=["EdDSA"])
    assert claims["sha-256"] == [hashlib.sha256(response.content).hexdigest()]
    assert abs(claims["iat"] - time.time()) < 60


def test_answers_that_leave_together_are_each_verified_by_the_one_signature(world: Any) -> None:
    together, bodies = SignatureBatch(Signer(world.key("service"))), [b'{"points":%d}' % n for n in range(MOST)]
    for body in bodies:
        assert together.takes_more
        together.add(hashlib.sha256(body).hexdigest())
    assert not together.takes_more
    signature = together.signature().decode()
    for body in bodies:
        verify(body, signature, world.ring)
    with pytest.raises(Broken, match="not the one that was signed"):
        verify(b'{"points":%d}' % MOST, signature, world.ring)
    assert len(signature) < 2000  # a proxy takes four kilobytes of headers


def test_a_signature_of_before_still_verifies_what_it_is_over_and_nothing_else(world: Any) -> None:
    body, key = b'{"report":1}', world.key("service")

    def before(digest: Any) -> str:
        named = {"kid": f"service:{key.keyid}", "typ": TYPE}
        return jwt.encode({"body": digest, "iat": 1}, key.private, "EdDSA", headers=named)

    good = f"sha-256:{hashlib.sha256(body).hexdigest()}"
    verify(body, before(good), world.ring)
    with pytest.raises(Broken, match="not the one that was signed"):
        verify(body + b" ", before(good), world.ring)
    for digest in (good.removeprefix("sha-256:"), good.replace("256", "512"), [good], None, 3):
        with pytest.raises(Broken, match="cannot be read"):
            verify(body, before(digest), world.ring)


def test_a_signed_batch_takes_no_more(world: Any) -> None:
    together = SignatureBatch(Signer(world.key("service")))
    together.add(hashlib.sha256(b"first").hexdigest())
    together.signature()
    assert not together.takes_more


@pytest.mark.attack
def test_no_other_byte_header_algorithm_or_key_verifies(world: Any) -> None:
    body = b'{"points":700}'
    good = Signer(world.key("service")).sign(body).decode()
    header, payload, raw = good.split(".")

    def headed(**more: Any) -> str:
        header = {"alg": "EdDSA", "kid": f"service:{world.key('service').keyid}", "typ": TYPE} | more
        return base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()

    verify(body, good, world.ring)
    service = world.key("service").private
    claims = {"sha-256": [hashlib.sha256(body).hexdigest()]}
    named = {"kid": f"service:{world.key('service').keyid}"}
    typed = named | {"typ": TYPE}
    table = {
        "a changed body": (body.replace(b"700", b"900"), good),
        "no algorithm": (body, f"{headed(alg='none')}.{payload}.{raw}"),
        "another algorithm": (body, f"{headed(alg='HS256')}.{payload}.{raw}"),
        "an extension that must be understood": (body, f"{headed(crit=['b64'], b64=False)}.{payload}.{raw}"),
        "a token of the service's, over the same words": (body, jwt.encode(claims, service, "EdDSA", named)),
        "a list that is a word": (body, jwt.encode({"sha-256": claims["sha-256"][0] + "0"}, service, "EdDSA", typed)),
        "another zone's key": (body, Signer(world.key("platform")).sign(body).decode()),
        "no signature": (body, f"{header}.{payload}."),
        "detached": (body, f"{header}..{raw}"),
        "not a signature": (body, "x"),
        "not even text": (body, "é..ü"),
    }
    for name, (bytes_, signature) in table.items():
        try:
            verify(bytes_, signature, world.ring)
        except Broken:
            continue
        pytest.fail(name)
