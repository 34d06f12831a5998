"""Subjects of records: the kinds of subject (信用主体), and a subject's pseudonym outside custody."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import hmac as crypto_hmac

from credit.errors import Malformed

_HEX = re.compile(r"[0-9a-f]{32}")
_AUDIENCE = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")


class SubjectKind(StrEnum):
    """Kinds of subject, known from the first two characters of the code (GB 32100-2015)."""

    ENTERPRISE = "enterprise"  # 企业, 91
    INDIVIDUAL_BUSINESS = "individual_business"  # 个体工商户, 92
    COOPERATIVE = "cooperative"  # 农民专业合作社, 93; rural collectives (农村集体经济组织), N1–N3 and N9
    GOVERNMENT_BODY = "government_body"  # 机关, 11
    PUBLIC_INSTITUTION = "public_institution"  # 事业单位 and what else 机构编制 registers, 12, 13 and 19
    SOCIAL_ORGANISATION = "social_organisation"  # 社会组织, 51–53 and 59; law offices 31, trade unions 81
    OTHER = "other"


@dataclass(frozen=True, order=True, slots=True)
class SubjectKey:
    """A subject's pseudonym (去标识化标识) for one purpose: 128 bits of an HMAC, as 32 lower-case hex characters.

    Raises :class:`Malformed` for any other text.
    """

    hex: str

    def __post_init__(self) -> None:
        if not _HEX.fullmatch(self.hex):
            raise Malformed("subjects.not-subject-key")

    def bucket(self, buckets: int) -> int:
        """The bucket of this subject, below ``buckets`` (a power of two up to 256): top bits of its first byte."""
        return int(self.hex[:2], 16) * buckets // 256

    @property
    def raw(self) -> bytes:
        """The 16 bytes themselves, as a snapshot stores them."""
        return bytes.fromhex(self.hex)

    def __str__(self) -> str:
        return self.hex


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """The secret of one purpose; pseudonyms of two purposes cannot be joined.

    It is that of this lab's own compute; :meth:`for_audience` gives those of others.

    The digest is keyed because the list of all codes is public: a plain digest could be reversed by trying them all
    (GB/T 37964-2019 annex). ``algorithm`` is ``sha256``, or ``sm3`` (GB/T 32905) where commercial cryptography is
    required. The purpose is part of the digested text, so the same secret gives different pseudonyms for two purposes.
    Raises :class:`Malformed` for a secret shorter than 32 bytes or an unknown algorithm.
    """

    purpose: str
    secret: bytes = field(repr=False)
    algorithm: str = "sha256"

    def __post_init__(self) -> None:
        if len(self.secret) < 32:
            raise Malformed("subjects.pseudonym-key-too-short")
        if self.algorithm not in ("sha256", "sm3"):
            raise Malformed("subjects.unknown-algorithm")

    def for_audience(self, audience: str) -> PseudonymKey:
        """The key of the same purpose for a release to another audience (数据接收方): pseudonyms of two audiences
        cannot be joined, and a key that an audience learned gives no other.

        Raises :class:`Malformed` unless the name is 2 to 40 lower-case letters, digits and hyphens.
        """
        if not _AUDIENCE.fullmatch(audience):
            raise Malformed("subjects.audience")
        secret = hmac.digest(self.secret, f"audience\x1f{audience}".encode(), "sha256")
        return replace(self, purpose=f"{self.purpose}@{audience}", secret=secret)

    def hex_of(self, code: str) -> str:
        """The pseudonym of ``code`` as 32 hex characters; faster than :meth:`key_of`, for whole releases."""
        message = f"{self.purpose}\x1f{code}".encode()
        if self.algorithm == "sm3":
            mac = crypto_hmac.HMAC(self.secret, hashes.SM3())
            mac.update(message)
            return mac.finalize().hex()[:32]
        return hmac.digest(self.secret, message, "sha256").hex()[:32]

    def key_of(self, code: str) -> SubjectKey:
        """The pseudonym of ``code`` as a :class:`SubjectKey`."""
        return SubjectKey(self.hex_of(code))
