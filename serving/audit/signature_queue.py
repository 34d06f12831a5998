"""One signature for several answers: those that become durable in one write leave together, and are signed together."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from serving.audit.signatures import Signer

MOST = 16  # digests under one signature: limits the header to 1.6 KB


class SignatureBatch:
    """Answers that are sent at the same time, under one signature."""

    __slots__ = ("_digests", "_signature", "_signer")

    def __init__(self, signer: Signer) -> None:
        """Start without any answer."""
        self._signer, self._digests = signer, list[str]()
        self._signature: bytes | None = None

    @property
    def takes_more(self) -> bool:
        """Whether another answer can be added."""
        return self._signature is None and len(self._digests) < MOST

    def add(self, hexadecimal: str) -> None:
        """Add an answer by the SHA-256 of its body."""
        self._digests.append(hexadecimal)

    def signature(self) -> bytes:
        """The signature of all answers that were added; no further one can be added."""
        if self._signature is None:
            self._signature = self._signer.sign_digests(self._digests)
        return self._signature


class SignedBody(NamedTuple):
    """The bytes of an answer, and the signature that covers them."""

    body: bytes
    batch: SignatureBatch


class SignatureQueue:
    """The batch that takes the next answer. It is signed in the next turn of the event loop, while the disk writes."""

    def __init__(self, signer: Signer) -> None:
        """Start without a batch."""
        self._signer = signer
        self._open: SignatureBatch | None = None

    def add(self, body: bytes, hexadecimal: str) -> SignedBody:
        """A place for a body, given with its SHA-256 in hex, under the signature of the answers beside it."""
        batch = self._open
        if batch is None or not batch.takes_more:
            batch = self._open = SignatureBatch(self._signer)
            asyncio.get_running_loop().call_soon(batch.signature)
        batch.add(hexadecimal)
        return SignedBody(body, batch)
