"""What is stored of an answer: how to make it again from its entry, or its bytes where it cannot be made again."""

from __future__ import annotations

import msgspec


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """From what an answer is made again: its entry in the ledger, whose digest it must have, and what it rested on.

    `salt` is the random part of an answer that has one, and `snapshot` with its model and version that of a score.
    """

    entry: str
    seq: int
    digest: str
    salt: str = ""
    model: str = ""
    version: str = ""
    snapshot: str = ""

    @classmethod
    def of(cls, answer: bytes) -> Receipt:
        """The receipt in an answer that states no score. Raises msgspec.ValidationError when it has none."""
        read = _read(answer)
        return cls(read.receipt.entry, read.receipt.seq, read.receipt.digest, read.salt)


class _Part(msgspec.Struct):
    entry: str
    seq: int
    digest: str


class _Answer(msgspec.Struct):
    receipt: _Part
    salt: str = ""


_read = msgspec.json.Decoder(_Answer).decode
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Receipt).decode


class StoredAnswer(msgspec.Struct, frozen=True):
    """An answer under its id, by its receipt or by its bytes; the bytes of the first may be at hand as well."""

    id: str
    body: bytes = b""
    receipt: Receipt | None = None

    def columns(self) -> tuple[str, str | None, bytes | None]:
        """The id, the receipt and the bytes as they are stored."""
        if self.receipt is not None:
            return self.id, _encode(self.receipt).decode(), None
        return self.id, None, self.body

    @classmethod
    def read(cls, name: str, receipt: str | None, body: bytes | None) -> StoredAnswer | None:
        """The stored answer; None while there is none."""
        if receipt is not None:
            return cls(name, receipt=_decode(receipt))
        return None if body is None else cls(name, bytes(body))
