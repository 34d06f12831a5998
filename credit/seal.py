"""Seal (封签): an immutable, content-addressed, signed folder. Its manifest is an in-toto statement in a DSSE envelope.

The id is the digest of the content (kind, parents, terms, expiry, files), not of its maker or time: the same content
made twice has the same id. Maker and time are in the manifest and signed with it. A seal names its parents, never its
children, and every seal expires. Formats: in-toto Statement v1, DSSE v1, Ed25519 (RFC 8032).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from credit.actor import Actor
from credit.canonical import digest_json
from credit.envelope import sign_envelope, verify_envelope
from credit.errors import Broken, Lapsed
from credit.keys import KeyRing, SigningKey
from credit.messages import Text

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://haihe.example/seal/v1"


class Kind(StrEnum):
    """The kind of content of a seal."""

    RELEASE = "release"  # desensitised data
    ORDER = "order"  # a training order
    VERSION = "version"  # a model version
    SNAPSHOT = "snapshot"  # features and scores of every subject
    PARCEL = "parcel"  # results that leave the lab
    ROWS = "rows"  # rows of features, in which no subject is found by what is open
    TABLE = "table"  # an aggregate table, judged on the units behind each cell
    PRACTICE = "practice"  # invented tables in the form of a release, for the workspaces
    OUTCOMES = "outcomes"  # events of loans that banks reported, which compute alone reads
    EXCERPT = "excerpt"  # the rows of a destroyed snapshot on which answers are based

    @property
    def text(self) -> Text:
        """What people call this kind."""
        return _KIND_NAMES[self]


_KIND_NAMES = {
    Kind.RELEASE: Text.of("seal.kind-release"),
    Kind.ORDER: Text.of("seal.kind-order"),
    Kind.VERSION: Text.of("seal.kind-version"),
    Kind.SNAPSHOT: Text.of("seal.kind-snapshot"),
    Kind.PARCEL: Text.of("seal.kind-parcel"),
    Kind.ROWS: Text.of("seal.kind-rows"),
    Kind.TABLE: Text.of("seal.kind-table"),
    Kind.PRACTICE: Text.of("seal.kind-practice"),
    Kind.OUTCOMES: Text.of("seal.kind-outcomes"),
    Kind.EXCERPT: Text.of("seal.kind-excerpt"),
}


SIGNERS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.RELEASE: "custody",
        Kind.ORDER: "research",
        Kind.VERSION: "compute",
        Kind.SNAPSHOT: "compute",
        Kind.PARCEL: "research",
        Kind.ROWS: "compute",
        Kind.TABLE: "compute",
        Kind.PRACTICE: "custody",
        Kind.OUTCOMES: "service",
        Kind.EXCERPT: "platform",
    }
)
"""The zone whose key must have signed a seal of each kind."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The manifest of a sealed folder. ``files`` maps each name to the SHA-256 of its bytes (64 hex).

    Raises :class:`Broken` when the id is not the digest of the content.
    """

    id: str
    kind: Kind
    parents: tuple[str, ...]
    made_by: Actor
    made_at: datetime
    expires_on: date
    terms: Mapping[str, Any]
    files: Mapping[str, str]

    def __post_init__(self) -> None:
        if self.id != seal_id_of(self.kind, self.parents, self.expires_on, self.terms, self.files):
            raise Broken("seal.wrong-id", self_id=self.id[:20])

    @property
    def short(self) -> str:
        """The id as people write it: the kind and 12 characters."""
        return self.id[: len(self.kind) + 13]

    def require_not_expired(self, today: date) -> None:
        """Raise :class:`Lapsed` from the day of expiry on."""
        if today >= self.expires_on:
            raise Lapsed("seal.lapsed", kind=self.kind.text, self_short=self.short, expires_on=self.expires_on)


def seal_id_of(
    kind: Kind, parents: tuple[str, ...], ends: date, terms: Mapping[str, Any], files: Mapping[str, str]
) -> str:
    """The id of this content: ``<kind>-<64 hex>``, from the SHA-256 of its canonical JSON."""
    content = {"kind": kind, "parents": list(parents), "expires_on": ends.isoformat(), "terms": terms, "files": files}
    return f"{kind}-{digest_json(content)}"


def require_signer(kind: Kind, key: SigningKey) -> None:
    """Raise :class:`Broken` unless this zone's key may sign this kind."""
    if SIGNERS[kind] != key.zone:
        raise Broken("seal.wrong-zone", kind=kind.text, zone=key.zone, signers=SIGNERS[kind])


def to_envelope(seal: Seal, key: SigningKey) -> dict[str, Any]:
    """The signed manifest; raises :class:`Broken` when this zone's key may not sign this kind."""
    require_signer(seal.kind, key)
    statement = {
        "_type": STATEMENT,
        "predicateType": PREDICATE,
        "subject": [{"name": name, "digest": {"sha256": seal.files[name]}} for name in sorted(seal.files)],
        "predicate": {
            "id": seal.id,
            "kind": seal.kind,
            "parents": list(seal.parents),
            "made_by": str(seal.made_by),
            "made_at": seal.made_at.isoformat(),
            "expires_on": seal.expires_on.isoformat(),
            "terms": seal.terms,
        },
    }
    return sign_envelope(statement, PAYLOAD_TYPE, key)


def from_envelope(envelope: Any, ring: KeyRing) -> Seal:
    """Read a signed manifest; raises :class:`Broken` unless the zone that may sign its kind signed it."""
    statement = verify_envelope(envelope, PAYLOAD_TYPE, ring, set(SIGNERS.values()))
    try:
        predicate = statement["predicate"]
        kind = Kind(predicate["kind"])
        files = {entry["name"]: entry["digest"]["sha256"] for entry in statement["subject"]}
        seal = Seal(
            predicate["id"],
            kind,
            tuple(predicate["parents"]),
            Actor.parse(predicate["made_by"]),
            datetime.fromisoformat(predicate["made_at"]),
            date.fromisoformat(predicate["expires_on"]),
            MappingProxyType(predicate["terms"]),
            MappingProxyType(files),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Broken("seal.manifest-unreadable") from error
    verify_envelope(envelope, PAYLOAD_TYPE, ring, {SIGNERS[kind]})
    return seal
