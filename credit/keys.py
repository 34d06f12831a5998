"""Signing keys (Ed25519, RFC 8032), the ring of public keys, and secrets. The adapter to ``cryptography`` and PyNaCl.

libsodium (PyNaCl) makes and verifies the signatures: the same 64 bytes as OpenSSL in three fifths of the time.

A key belongs to a zone, and the ring says which zone made a signature: ``<zone>.pem``, or ``<zone>-<n>.pem`` for the
older keys of a zone, which still verify what they signed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nacl.bindings import crypto_sign, crypto_sign_BYTES, crypto_sign_open
from nacl.exceptions import BadSignatureError

from credit.canonical import digest
from credit.errors import Broken, Malformed, Missing
from credit.files import write_atomically

_RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def keyid_of(public: Ed25519PublicKey) -> str:
    """A key's name: the first 16 hex characters of the SHA-256 of its 32 bytes."""
    return digest(public.public_bytes(*_RAW))[:16]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A zone's private key; its file is ``signing-<zone>.pem``, mode 0600."""

    zone: str
    private: Ed25519PrivateKey = field(repr=False)
    keyid: str = field(init=False)  # this key's name in signatures
    _secret: bytes = field(init=False, repr=False, compare=False)  # seed and public key, in the order of libsodium

    def __post_init__(self) -> None:
        public = self.private.public_key()
        object.__setattr__(self, "keyid", keyid_of(public))
        object.__setattr__(self, "_secret", self.private.private_bytes_raw() + public.public_bytes_raw())

    @classmethod
    def create(cls, folder: Path, zone: str) -> SigningKey:
        """Create a key and write it into ``folder``; raises :class:`Malformed` if the zone has one already."""
        path = folder / f"signing-{zone}.pem"
        if path.exists():
            raise Malformed("keys.signing-key-exists", zone=zone)
        key = cls(zone, Ed25519PrivateKey.generate())
        pem = key.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_atomically(path, pem, mode=0o600)
        return key

    @classmethod
    def load(cls, folder: Path, zone: str) -> SigningKey:
        """Read a zone's key; raises :class:`Missing`, or :class:`Broken` when it is not a readable Ed25519 key."""
        path = folder / f"signing-{zone}.pem"
        if not path.exists():
            raise Missing("keys.no-signing-key", zone=zone)
        try:
            private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except ValueError as error:
            raise Broken("keys.signing-key-unreadable", zone=zone) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise Broken("keys.signing-key-another-kind", zone=zone)
        return cls(zone, private)

    def sign(self, payload: bytes) -> bytes:
        """The Ed25519 signature of ``payload``, 64 bytes."""
        signed: bytes = crypto_sign(payload, self._secret)
        return signed[:64]

    def public_pem(self) -> bytes:
        """The public half of the key as PEM, the form in which the ring stores it."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Public keys by zone and key id: all that an auditor needs to verify signatures."""

    keys: Mapping[str, Mapping[str, Ed25519PublicKey]]
    folder: Path | None = field(default=None, compare=False)  # from which it was read; it also says which ledgers began

    @classmethod
    def load(cls, folder: Path) -> KeyRing:
        """Read every ``*.pem`` of a folder.

        Raises :class:`Missing` when there is none, :class:`Broken` when one is not an Ed25519 key.
        """
        keys: dict[str, dict[str, Ed25519PublicKey]] = {}
        for path in sorted(folder.glob("*.pem")):
            public = serialization.load_pem_public_key(path.read_bytes())
            if not isinstance(public, Ed25519PublicKey):
                raise Broken("keys.public-key-another-kind", path_name=path.name)
            zone = re.sub(r"-\d+$", "", path.stem)
            keys.setdefault(zone, {})[keyid_of(public)] = public
        if not keys:
            raise Missing("keys.ring-empty")
        return cls(keys, folder)

    @classmethod
    def of_raw(cls, zone: str, keys: Iterable[bytes]) -> KeyRing:
        """A ring of one zone's public keys, 32 bytes each (RFC 8032 §5.1.5).

        Raises :class:`Broken` for an invalid one.
        """
        try:
            publics = [Ed25519PublicKey.from_public_bytes(raw) for raw in keys]
        except ValueError as error:
            raise Broken("keys.public-key-unreadable") from error
        return cls({zone: {keyid_of(public): public for public in publics}})

    @classmethod
    def of(cls, *keys: SigningKey) -> KeyRing:
        """A ring of the public halves of these keys."""
        ring: dict[str, dict[str, Ed25519PublicKey]] = {}
        for key in keys:
            ring.setdefault(key.zone, {})[key.keyid] = key.private.public_key()
        return cls(ring)

    def verify(self, zone: str, keyid: str, payload: bytes, signature: bytes) -> None:
        """Raise :class:`Broken` unless that key of that zone made ``signature`` over ``payload``."""
        public = self.keys.get(zone, {}).get(keyid)
        if public is None:
            raise Broken("keys.unknown-key", zone=zone, keyid=keyid)
        try:
            if len(signature) != crypto_sign_BYTES:  # libsodium takes both in one piece
                raise BadSignatureError
            crypto_sign_open(signature + payload, public.public_bytes_raw())
        except BadSignatureError as error:
            raise Broken("keys.signature-does-not-verify", zone=zone, keyid=keyid) from error


def create_secret(path: Path) -> bytes:
    """Create 32 random bytes in a file of mode 0600; raises :class:`Malformed` if the file exists."""
    if path.exists():
        raise Malformed("keys.secret-exists", path_name=path.name)
    secret = secrets.token_bytes(32)
    write_atomically(path, secret, mode=0o600)
    return secret


def load_secret(path: Path) -> bytes:
    """Read a secret; raises :class:`Missing`, or :class:`Broken` when it is not 32 bytes."""
    if not path.exists():
        raise Missing("keys.no-secret", path_name=path.name)
    secret = path.read_bytes()
    if len(secret) != 32:
        raise Broken("keys.secret-damaged", path_name=path.name)
    return secret
