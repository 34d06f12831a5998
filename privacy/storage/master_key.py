"""The master key (主密钥): it encrypts the keys of data, and never data.

It comes from a file or from the environment, or it stays in a key management service (KMS), of which custody needs the
two methods of :class:`MasterKey` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from credit.canonical import digest
from credit.errors import Broken, Malformed
from privacy.storage.encryption import NotDecrypted, decrypted, derived, encrypted


class MasterKey(Protocol):
    """What wraps data keys. ``name`` identifies a master key and discloses nothing about it."""

    @property
    def name(self) -> str:
        """The name of this key, as the wrapped keys have it."""

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """``key`` encrypted and bound to ``place``."""

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """The key again. Raises :class:`Broken` when it was changed, or wrapped for another place or by another key."""


@dataclass(frozen=True, slots=True)
class SecretMasterKey:
    """A master key of 32 bytes in this process: AES-256-GCM under a key that is derived from it."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != 32:
            raise Malformed("master-key.wrong-length")

    @property
    def name(self) -> str:
        """16 hex characters of the digest of a value that is derived from the secret."""
        return digest(derived(self.secret, "master key, name"))[:16]

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """See :class:`MasterKey`."""
        return encrypted(derived(self.secret, "master key, wrapping"), key, place)

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """See :class:`MasterKey`."""
        try:
            return decrypted(derived(self.secret, "master key, wrapping"), wrapped, place)
        except NotDecrypted as error:
            raise Broken("master-key.cannot-unwrap") from error
