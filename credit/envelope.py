"""DSSE envelopes (github.com/secure-systems-lab/dsse, v1), which existing tools can verify."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from typing import Any

from credit.canonical import canonical
from credit.errors import Broken
from credit.keys import KeyRing, SigningKey


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: ``PAE(type, body) = "DSSEv1" SP len(type) SP type SP len(body) SP body``."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_envelope(payload: Mapping[str, Any], payload_type: str, key: SigningKey) -> dict[str, Any]:
    """``payload`` as a DSSE envelope signed with ``key``."""
    body = canonical(payload)
    signature = key.sign(pre_authentication_encoding(payload_type, body))
    return {
        "payloadType": payload_type,
        "payload": base64.b64encode(body).decode(),
        "signatures": [{"keyid": f"{key.zone}:{key.keyid}", "sig": base64.b64encode(signature).decode()}],
    }


def verify_envelope(envelope: Any, payload_type: str, ring: KeyRing, zones: Collection[str]) -> dict[str, Any]:
    """The payload, if a key of one of ``zones`` signed it; raises :class:`Broken` otherwise."""
    try:
        if envelope["payloadType"] != payload_type:
            raise Broken("envelope.another-kind", payload_type=payload_type)
        body = base64.b64decode(envelope["payload"], validate=True)
        signed = [(s["keyid"], base64.b64decode(s["sig"], validate=True)) for s in envelope["signatures"]]
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise Broken("envelope.unreadable") from error
    for name, signature in signed:
        zone, _, keyid = name.partition(":")
        if zone in zones:
            ring.verify(zone, keyid, pre_authentication_encoding(payload_type, body), signature)
            payload = json.loads(body)
            if not isinstance(payload, dict):
                raise Broken("envelope.payload-not-object")
            return payload
    raise Broken("envelope.wrong-signer", zones=" or ".join(sorted(zones)))
