"""AES-256-GCM (NIST SP 800-38D) and HKDF (RFC 5869): this zone's adapter to ``cryptography``."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12  # bytes


class NotDecrypted(ValueError):
    """The bytes were changed, or belong to another key or another place."""


def encrypted(key: bytes, clear: bytes, place: bytes) -> bytes:
    """``clear`` under a random nonce, which comes first, bound to ``place``."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, clear, place)


def decrypted(key: bytes, content: bytes, place: bytes) -> bytes:
    """What :func:`encrypted` got. Raises :class:`NotDecrypted`."""
    try:
        return AESGCM(key).decrypt(content[:_NONCE], content[_NONCE:], place)
    except (InvalidTag, ValueError) as error:
        raise NotDecrypted from error


def derived(key: bytes, use: str) -> bytes:
    """A key of 32 bytes for one use of another."""
    return HKDF(SHA256(), 32, salt=None, info=f"haihe custody {use}".encode()).derive(key)
