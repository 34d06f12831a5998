"""DSSE envelopes (github.com/secure-systems-lab/dsse, v1), so that tools people already have can verify them."""

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
    """What is signed: ``PAE(type, body) = "DSSEv1" SP len(type) SP type SP len(body) SP body``."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def wrap(payload: Mapping[str, Any], payload_type: str, key: SigningKey) -> dict[str, Any]:
    """``payload`` as a DSSE envelope signed with ``key``."""
    body = canonical(payload)
    signature = key.sign(pre_authentication_encoding(payload_type, body))
    return {
        "payloadType": payload_type,
        "payload": base64.b64encode(body).decode(),
        "signatures": [{"keyid": f"{key.zone}:{key.keyid}", "sig": base64.b64encode(signature).decode()}],
    }


def unwrap(envelope: Any, payload_type: str, ring: KeyRing, zones: Collection[str]) -> dict[str, Any]:
    """The payload, once a key of one of ``zones`` is seen to have signed it; raises :class:`Broken` otherwise."""
    try:
        if envelope["payloadType"] != payload_type:
            raise Broken("An envelope holds another kind of thing", why=f"{payload_type} was expected")
        body = base64.b64decode(envelope["payload"], validate=True)
        signed = [(s["keyid"], base64.b64decode(s["sig"], validate=True)) for s in envelope["signatures"]]
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise Broken("An envelope cannot be read", why="it is not in DSSE form") from error
    for name, signature in signed:
        zone, _, keyid = name.partition(":")
        if zone in zones:
            ring.verify(zone, keyid, pre_authentication_encoding(payload_type, body), signature)
            payload = json.loads(body)
            if not isinstance(payload, dict):
                raise Broken("An envelope cannot be read", why="its payload is not an object")
            return payload
    raise Broken("An envelope is not signed by one who may", why=f"it takes a key of {' or '.join(sorted(zones))}")
