"""One account, the link by which its person enrols, and one change of an account that someone requested."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from credit.actor import Actor, Role
from credit.confirmation import Confirmation
from credit.errors import Malformed
from credit.messages import Text

ROLES = (Role.RESEARCHER, Role.REVIEWER, Role.PLATFORM, Role.CITY, Role.AUDITOR, Role.BANK)
NAME = re.compile(r"[a-z][a-z0-9]{1,29}")  # also the name of a folder, a Unix socket and a hub user
BANK = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
CODE_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # none is mistaken for another when it is read out


class ChangeKind(StrEnum):
    """What a change of an account does."""

    ADD = "add"
    ROLES = "roles"
    RESET = "reset"  # the person enrols again: the password and every second factor end
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class EnrolmentLink:
    """What the ledger knows of a link: a digest of its token, the hash of the code that is needed with it, its end.

    ``code`` is empty where the link alone is enough.
    """

    digest: str
    code: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A user and their roles. ``bank`` is the bank of an account with the role bank.

    ``enrolment`` names the newest link that was issued: what was enrolled by an earlier one is worth nothing.
    """

    name: str
    roles: tuple[Role, ...]
    bank: str = ""
    enrolment: str = ""
    link: EnrolmentLink | None = field(default=None, repr=False)

    def actor(self, role: Role) -> Actor:
        """This user in one of their roles; raises :class:`~credit.errors.Refused` for a role that they do not have."""
        acting = Actor(self.name, role)
        if role not in self.roles:
            acting = Actor(self.name, self.roles[0])
        acting.require_role(role, act=Text.of("act.act-as", role=role))
        return acting


@dataclass(frozen=True, slots=True)
class AccountChange:
    """A change of an account as its request describes it. ``link`` is the digest of the link that its requester holds.

    ``roles`` and ``bank`` are those that a new account or one with other roles is to have.
    """

    id: str
    kind: ChangeKind
    name: str
    roles: tuple[Role, ...]
    bank: str
    link: str
    by: Actor
    at: datetime
    until: datetime

    @classmethod
    def of(cls, confirmation: Confirmation, name: str) -> AccountChange:
        """The change of an account that a request is about; raises :class:`Malformed`."""
        details, kind = confirmation.details, ChangeKind(confirmation.act)
        bank, roles = text_of(details, "bank"), tuple[Role, ...]()
        if kind in (ChangeKind.ADD, ChangeKind.ROLES):
            roles = read_roles(details.get("roles"), bank)
        id, link = text_of(details, "change"), text_of(details, "link")
        by, at = confirmation.requested_by, confirmation.requested_at
        return cls(id, kind, name, roles, bank, link, by, at, at + confirmation.rule.span)


@dataclass(frozen=True, slots=True)
class IssuedLink:
    """What a person is given once, and nothing stores: the token of a link, or the code that is needed with it.

    ``waits`` is true when a second person has to confirm the change before the link works.
    """

    change: str
    name: str
    token: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    waits: bool = False


def new_token() -> str:
    """The token of a new link."""
    return secrets.token_urlsafe(32)


def new_code() -> str:
    """A code that one person reads out to another: ten letters, 49 bits."""
    letters = [secrets.choice(CODE_LETTERS) for _ in range(10)]
    return "".join(letters[:5]) + "-" + "".join(letters[5:])


def plain_code(written: str) -> str:
    """A code as it was issued, however it was typed."""
    return re.sub(r"[^A-Z0-9]", "", written.upper())


def digest_of(token: str) -> str:
    """What the ledger keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_token_of(link: EnrolmentLink, token: str) -> bool:
    """True when ``token`` is the one of ``link``."""
    return hmac.compare_digest(link.digest.encode(), digest_of(token).encode())


def read_roles(written: Any, bank: str) -> tuple[Role, ...]:
    """Roles of an account, sorted; raises :class:`Malformed` for none, for others, and for a bank without its name."""
    if not isinstance(written, list | tuple) or not written or not set(written) <= set(ROLES):
        raise Malformed("accounts.these-not-roles-account", roles=", ".join(ROLES))
    roles = tuple(sorted({Role(each) for each in written}))
    if (Role.BANK in roles) != bool(bank) or (bank and not BANK.fullmatch(bank)):
        raise Malformed("accounts.bank-of-account")
    return roles


def text_of(details: Mapping[str, Any], key: str) -> str:
    """A text in an entry's details; raises :class:`Malformed` where there is none."""
    value = details.get(key)
    if not isinstance(value, str):
        raise Malformed("accounts.entry-unreadable", key=key)
    return value
